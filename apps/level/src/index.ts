/** OrbitKV for the Level family: the class `OrbitLevel`. */

export { levelErrors } from './errors.ts'
export { OrbitLevel, type OrbitLevelOptions, type OrbitWriteOptions } from './orbit-level.ts'
