/** The engine contract: what an engine does, its changes and records, its errors and limits. */

export { deleteChange, deleteRangeChange, type PutOptions, putChange } from './change.ts'
export * from './contract.ts'
export { engineErrors, shardsFileName } from './errors.ts'
export { defaultLimits, userKeyBytesMax, valueBytesMaxMax } from './limits.ts'
export { copyKey, copyValue, type RecordView } from './record.ts'
