/** Limits of the Redis front: what a client may take of the server. */

import { bytes, config, count, duration, flag, GiB, KiB, MiB, minute, second, type Values } from '@orbitkv/base'
import type { ParserLimits } from './protocol/parser.ts'

export const redisConfig = config(
  {
    clientsMax: count({
      default: 10_000,
      min: 1,
      max: 1_000_000,
      why: 'connections at once; one more is told so and closed. The limit of open files must allow them (ulimit -n)',
    }),
    commandsPerTurnMax: count({
      default: 2000,
      min: 1,
      max: 1_000_000,
      why: 'commands of one connection that run before the others have their turn',
    }),
    bulkBytesMax: bytes({
      default: 64 * MiB,
      min: 1 * KiB,
      max: 512 * MiB,
      why: 'one argument; one that is announced larger ends the connection. The value limit of the store is lower',
    }),
    frameBytesMax: bytes({
      default: 64 * MiB + 64 * KiB,
      min: 1 * KiB,
      max: 1 * GiB,
      why: 'one command with all its arguments: the store takes no batch larger than 64 MiB either',
    }),
    argumentsMax: count({
      default: 1024 * 1024,
      min: 16,
      max: 1024 * 1024,
      why: 'arguments of one command, as in Redis',
    }),
    lineBytesMax: bytes({
      default: 64 * KiB,
      min: 64,
      max: 1 * MiB,
      why: 'an inline command, or a line that announces a length, as in Redis',
    }),
    outputPauseBytes: bytes({
      default: 1 * MiB,
      min: 1,
      max: 1 * GiB,
      why: 'replies that wait for a slow reader, or for the disk, before its further commands wait, too',
    }),
    outputBytesMax: bytes({
      default: 256 * MiB,
      min: 1 * KiB,
      max: 1 * GiB,
      why: 'replies that wait for one connection: past it the connection is cut. Only one command with an enormous answer gets here, since others wait',
    }),
    messageBytesMax: bytes({
      default: 32 * MiB,
      min: 1 * KiB,
      max: 1 * GiB,
      why: 'messages of channels that wait for one slow reader: past it the connection is cut, as in Redis',
    }),
    messageSoftBytes: bytes({
      default: 8 * MiB,
      min: 0,
      max: 1 * GiB,
      why: 'messages of channels that may wait for one slow reader for messageSoftMs, as in Redis; 0: any amount below messageBytesMax',
    }),
    messageSoftMs: duration({
      default: minute,
      min: 0,
      max: 24 * 60 * minute,
      why: 'how long a reader of channels may be slow: past it the connection is cut',
    }),
    outputSoftBytes: bytes({
      default: 0,
      min: 0,
      max: 1 * GiB,
      why: 'replies that may wait for one slow reader for outputSoftMs; 0: any amount below outputBytesMax, as in Redis',
    }),
    outputSoftMs: duration({
      default: minute,
      min: 0,
      max: 24 * 60 * minute,
      why: 'how long a reader of replies may be slow: past it the connection is cut',
    }),
    blockedClientsMax: count({
      default: 100_000,
      min: 0,
      max: 1_000_000,
      why: 'clients that wait for an element at once; one more gets an error',
    }),
    buffersBytesMax: bytes({
      default: 1 * GiB,
      min: 1 * MiB,
      max: 1024 * GiB,
      why: 'memory for all requests and replies together; the connection that wants more is cut',
    }),
    debugCommand: flag({
      default: false,
      why: 'whether clients may hold the server up with DEBUG SLEEP: for tests only',
    }),
    idleTimeoutMs: duration({
      default: 0,
      min: 0,
      max: 366 * 24 * 3600 * 1000,
      why: 'a connection without a command for this long is closed; 0: never, as in Redis',
    }),
    loginTimeoutMs: duration({
      default: minute,
      min: 0,
      max: 24 * 60 * minute,
      why: 'a connection that has to log in, and has not for this long, is closed; 0: never, as in Redis',
    }),
    scriptMs: duration({
      default: 5 * second,
      min: 1,
      max: 60 * minute,
      why: 'how long a script may run, while nobody else is served: then it is ended, and has written nothing',
    }),
    scriptInstructionsMax: count({
      default: 2_000_000_000,
      min: 1000,
      max: 1_000_000_000_000,
      why: 'instructions of Lua that a script may take, whatever the clock says',
    }),
    scriptsBytesMax: bytes({
      default: 64 * MiB,
      min: 1 * KiB,
      max: 1 * GiB,
      why: 'all scripts that are kept for EVALSHA; one more is refused until SCRIPT FLUSH',
    }),
    protectedMode: flag({
      default: true,
      why: 'while the default user needs no password, only this machine may connect',
    }),
  },
  (limits) => {
    const faults: string[] = []
    if (limits.bulkBytesMax > limits.frameBytesMax) faults.push('bulkBytesMax must be at most frameBytesMax')
    if (limits.outputPauseBytes > limits.outputBytesMax) faults.push('outputPauseBytes must be at most outputBytesMax')
    if (limits.frameBytesMax > limits.buffersBytesMax) faults.push('frameBytesMax must be at most buffersBytesMax')
    if (limits.outputBytesMax > limits.buffersBytesMax) faults.push('outputBytesMax must be at most buffersBytesMax')
    return faults
  },
)

export type RedisLimits = Values<typeof redisConfig.settings>

/** What may be sent before logging in: enough for that, as in Redis. */
export function strangerLimitsOf({ lineBytesMax }: RedisLimits): ParserLimits {
  return { bulkBytesMax: 16 * KiB, argumentsMax: 10, lineBytesMax, frameBytesMax: 64 * KiB, isForStrangers: true }
}
