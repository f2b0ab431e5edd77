/** The simulated doors, for tests: time that is told, a disk that loses what was not synced, a network that cuts. */

export { SimulatedClock } from './clock.ts'
export { type CrashMode, SimulatedDisk, type SimulatedDiskOptions, type SyncHold } from './disk.ts'
export { SimulatedNetwork } from './network.ts'
