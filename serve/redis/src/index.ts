/** The Redis protocol front of OrbitKV: `startRedis`. */

export { type RedisLimits, redisConfig } from './config.ts'
export { redisErrors } from './errors.ts'
export type { Log, LogLevel } from './log.ts'
export { isLoopback, type RedisOptions, type RedisServer, startRedis } from './server.ts'
export { redisVersion } from './version.ts'
export type { RedisStats, ServerFacts } from './view.ts'
