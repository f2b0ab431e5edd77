/** Checks of histories: serializability of transactions over lists and registers, linearizability of single objects. */

export * from './history.ts'
export { isLinearizable, type ObjectModel, type ObjectOperation } from './linearizable.ts'
export { checkLists } from './lists.ts'
export { checkRegisters } from './registers.ts'
