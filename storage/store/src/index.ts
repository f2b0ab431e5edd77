/** The store over any engine, its public types, settings and errors. */

export { type StoreConfig, storeConfig } from './config.ts'
export { storeErrors } from './errors.ts'
export { EngineStore, type EngineStoreOptions } from './store.ts'
export * from './types.ts'
