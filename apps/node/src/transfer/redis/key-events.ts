/**
 * Tells which keys of a Redis change, by its keyspace notifications, on a connection of its own.
 *
 * The source must be told to send them (`notify-keyspace-events`); what it was set to before is put back by `close`. What
 * happens while the connection is lost is told by nobody, nor are FLUSHALL, FLUSHDB and SWAPDB: events make following
 * quick, and the comparison at the end makes it right.
 */

import type { Clock } from '@orbitkv/runtime'
import type { Reply } from '../../targets/resp.ts'
import type { SourceAddress } from './address.ts'
import { AnswerError, type Door } from './door.ts'
import { openDoor } from './source.ts'

const setting = 'notify-keyspace-events'

export interface KeyEventsOptions {
  readonly address: SourceAddress
  readonly clock: Clock
  /** The connection for commands: settings are read and made there. */
  readonly source: Door
  readonly changed: (key: Uint8Array) => void
  readonly lost: () => void
}

export class KeyEvents {
  readonly #door: Door
  #isClosing = false

  private constructor(door: Door) {
    this.#door = door
  }

  /** Undefined where the source cannot or must not tell. Everything that changes after this resolved is told. */
  static async open({ address, clock, source, changed, lost }: KeyEventsOptions): Promise<KeyEvents | undefined> {
    if (!(await enable(source))) return undefined
    const door = await openDoor(address, clock)
    const events = new KeyEvents(door)
    const prefixChars = `__keyspace@${address.database}__:`.length
    door.client.onMessage = (message) => {
      const key = keyOf(message, prefixChars)
      if (key !== undefined) changed(key)
    }
    door.client.onLost = () => {
      if (!events.#isClosing) lost()
    }
    await door.list('PSUBSCRIBE', `__keyspace@${address.database}__:*`)
    return events
  }

  /** Resolves once every change that the source had made before the call is told. */
  async fence(): Promise<void> {
    // A subscriber's messages and replies leave the source in the order in which they came about.
    await this.#door.list('PING')
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await this.#door.close()
  }
}

/** `pmessage`, pattern, channel, event: the channel ends with the key. */
function keyOf(message: readonly Reply[], prefixChars: number): Uint8Array | undefined {
  const channel = message[2]
  return channel instanceof Uint8Array ? channel.subarray(prefixChars) : undefined
}

/** What the setting is; undefined where the source does not say. */
export async function readSetting(source: Door): Promise<string | undefined> {
  try {
    const [, value] = await source.many('CONFIG', 'GET', setting)
    return value === undefined ? undefined : Buffer.from(value).toString('latin1')
  } catch (error) {
    // A service that keeps its settings to itself, or a user who may not see them.
    if (error instanceof AnswerError) return undefined
    throw error
  }
}

/** Errors: none that a source gives which refuses; the result says whether it took it. */
export async function writeSetting(source: Door, value: string): Promise<boolean> {
  try {
    await source.call('CONFIG', 'SET', setting, value)
    return true
  } catch (error) {
    if (error instanceof AnswerError) return false
    throw error
  }
}

/** Whether the source tells of every kind of change of a key, now. */
async function enable(source: Door): Promise<boolean> {
  const value = await readSetting(source)
  if (value === undefined) return false
  // K: on the channel of the key. A: of all kinds.
  if (value.includes('K') && value.includes('A')) return true
  return writeSetting(source, `${value}KA`)
}
