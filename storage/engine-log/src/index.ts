/** The log engine: how it is opened, and its settings. What it offers is the contract of @orbitkv/engine. */

export { type LogConfig, logConfig, logRelations } from './config.ts'
export { type OpenLogOptions, openLogEngine } from './open.ts'
export { LearnedIndex } from './ordered/learned-index.ts'
export { PointIndex, type PointKeys } from './point/point-index.ts'
export { FileCheck, type FileFault } from './recovery/file-check.ts'
export { type Lost, type RepairOptions, type RepairReport, repairStore } from './recovery/repair.ts'
export { type RestoredState, type RestoreStoreOptions, restoreStore, storeFilePath } from './recovery/restore.ts'
