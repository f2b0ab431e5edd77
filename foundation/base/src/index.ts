/** Assertions, coded errors, config tables, units and seeded randomness: what every package may use. */

export { AssertionError, assert, unreachable } from './assert.ts'
export {
  bytes,
  type ConfigFault,
  type ConfigTable,
  choice,
  config,
  configErrors,
  count,
  duration,
  flag,
  nearest,
  type Setting,
  text,
  type Values,
} from './config.ts'
export {
  defineErrors,
  type ErrorDetails,
  type ErrorSpec,
  type ErrorTable,
  hasCode,
  OrbitError,
  type Retry,
} from './errors.ts'
export { Random, seedsFor } from './random.ts'
export {
  day,
  formatBytes,
  formatDuration,
  GiB,
  hour,
  KiB,
  MiB,
  minute,
  parseBytes,
  parseDuration,
  second,
} from './units.ts'
