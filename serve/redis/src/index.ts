/** The Redis protocol front of OrbitKV: `startRedis`. */

export type { AccessSettings, UsersFile } from './access/access.ts'
export { type RedisLimits, redisConfig } from './config.ts'
export { isLoopback, type TlsDoor } from './doors.ts'
export { redisErrors } from './errors.ts'
export type { MachineFacts } from './families.ts'
export type { Log, LogLevel } from './log.ts'
export type { RedisOptions, RedisServer, WorkerOptions } from './options.ts'
export { startRedis } from './server.ts'
export { redisVersion } from './version.ts'
export type { RedisStats, ServerFacts } from './view.ts'

export { Crossing, type CrossingOptions, newRings, type Rings } from './workers/crossing.ts'
export type { Doorbell } from './workers/link.ts'
export { shardOfSlot, slotOf } from './workers/slots.ts'
export { dealShards, type Topology, type WorkerPlace } from './workers/topology.ts'
