/** Counters of the front. */

import type { RedisStats } from './view.ts'

export function newStats(): RedisStats {
  return {
    connectionsReceived: 0,
    connectionsRejected: 0,
    connectionsCut: 0,
    commandsProcessed: 0,
    errorReplies: 0,
    keyspaceHits: 0,
    keyspaceMisses: 0,
    inputBytes: 0,
    outputBytes: 0,
    commandsPerSecond: 0,
    inputBytesPerSecond: 0,
    outputBytesPerSecond: 0,
    turns: 0,
    turnsWithheld: 0,
  }
}

/** What is counted up to a moment, to tell how much came in the second before. */
export interface Rates {
  readonly commands: number
  readonly inputBytes: number
  readonly outputBytes: number
}

export function rateOf({ commandsProcessed, inputBytes, outputBytes }: RedisStats): Rates {
  return { commands: commandsProcessed, inputBytes, outputBytes }
}
