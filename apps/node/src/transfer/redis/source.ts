/** Connects to the Redis that is copied: logs in, picks the database, and tells what kind of server it is. */

import type { Clock } from '@orbitkv/runtime'
import { cliErrors } from '../../errors.ts'
import { RespClient } from '../../targets/resp.ts'
import type { SourceAddress } from './address.ts'
import { AnswerError, Door } from './door.ts'

export interface RedisSource {
  readonly door: Door
  /** Another one after a restart: then what SCAN said before does not hold any more. */
  readonly runId: string
  /** Whether it tells times of expiry as moments (from Redis 7.0 on), and not as what is left. */
  readonly tellsMoments: boolean
}

/** Errors: `cli.no_server`, `cli.source_password`, `cli.source_cluster`, `cli.source_answer`, `cli.not_redis`. */
export async function connectSource(address: SourceAddress, clock: Clock): Promise<RedisSource> {
  const door = await openDoor(address, clock)
  try {
    const info = await door.text('INFO', 'server')
    const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
    if (fact('redis_mode') === 'cluster') throw cliErrors.source_cluster({ source: address.url })
    const tellsMoments = Number.parseInt(fact('redis_version'), 10) >= 7
    return { door, runId: fact('run_id'), tellsMoments }
  } catch (error) {
    await door.close()
    throw sourceError(address, error)
  }
}

/** A connection that may run commands. */
export async function openDoor(address: SourceAddress, clock: Clock): Promise<Door> {
  const { user, password, database } = address
  const door = new Door(await RespClient.dial(address, clock))
  try {
    if (password !== '') await door.call('AUTH', ...(user === '' ? [] : [user]), password)
    if (database !== 0) await door.call('SELECT', String(database))
    await door.call('PING')
    return door
  } catch (error) {
    await door.close()
    throw sourceError(address, error)
  }
}

/** What the source, or the target, answered, as an error of ours; any other error as it is. */
export function sourceError({ url }: SourceAddress, error: unknown): unknown {
  if (!(error instanceof AnswerError)) return error
  const { door, kind, command, message } = error
  if (door.name !== url) return cliErrors.server_error({ url: door.name, answer: message }, error)
  if (kind === 'WRONGPASS' || kind === 'NOAUTH' || (command === 'AUTH' && kind === 'ERR'))
    return cliErrors.source_password({ source: url, answer: message }, error)
  return cliErrors.source_answer({ source: url, command, answer: message }, error)
}
