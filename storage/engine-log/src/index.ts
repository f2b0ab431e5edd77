export { type LogConfig, logConfig } from './config.ts'
export { openLogEngine, type OpenLogOptions } from './open.ts'
