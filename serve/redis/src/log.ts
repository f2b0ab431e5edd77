/** Where the front tells its starter what happened; what to show and where is the starter's choice. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type Log = (level: LogLevel, message: string, error?: unknown) => void
