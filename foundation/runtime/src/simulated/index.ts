export { SimulatedClock } from './clock.ts'
export { type CrashMode, SimulatedDisk, type SimulatedDiskOptions, type SyncHold } from './disk.ts'
export { SimulatedNetwork } from './network.ts'
