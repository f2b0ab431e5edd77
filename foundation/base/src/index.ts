export { AssertionError, assert, unreachable } from './assert.ts'
export {
  type ConfigFault,
  type ConfigTable,
  type Setting,
  type Values,
  bytes,
  choice,
  config,
  configErrors,
  count,
  duration,
  flag,
  nearest,
  text,
} from './config.ts'
export { type ErrorDetails, type ErrorSpec, type ErrorTable, OrbitError, type Retry, defineErrors, hasCode } from './errors.ts'
export { Random, seedsFor } from './random.ts'
export { GiB, KiB, MiB, day, formatBytes, formatDuration, hour, minute, parseBytes, parseDuration, second } from './units.ts'
