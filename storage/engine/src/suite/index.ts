/** The suite that every engine passes: see engine-suite.ts and model.ts. */

export { type EngineHarness, engineSuite } from './engine-suite.ts'
export { compareEngines, type ModelOptions, runModel } from './model.ts'
export { Twin, type TwinRecord } from './twin.ts'
