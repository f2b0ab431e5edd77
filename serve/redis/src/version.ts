/**
 * The version of Redis whose commands we follow. Clients decide by it what they may send, so it stands in HELLO and
 * INFO; our own stands beside it in INFO as `orbitkv_version`.
 */
export const redisVersion = '7.0.15'
