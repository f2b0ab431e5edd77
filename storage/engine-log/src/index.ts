export { type LogConfig, logConfig } from './config.ts'
export { type OpenLogOptions, openLogEngine } from './open.ts'
