/** Reads streams and their groups from a server, in pages, by commands that Redis has had since streams came (5.0). */

import type { Clock } from '@orbitkv/runtime'
import { cliErrors } from '../../errors.ts'
import type { Reply } from '../../targets/resp.ts'
import { ChunkSize } from './chunks.ts'
import { AnswerError, type Door } from './door.ts'

/** 64 bits of milliseconds, then 64 of a sequence: as one number, ids compare and have a next one. */
export type StreamId = bigint

const sequenceBits = 64n
const idMax = (1n << 128n) - 1n
const pageEntries = '512'

export interface StreamEntry {
  readonly id: StreamId
  /** Fields, each with its value behind it. */
  readonly fields: readonly Uint8Array[]
}

/** What XINFO STREAM tells; the counters are undefined where the source is older than 7.0. */
export interface StreamState {
  readonly length: number
  readonly lastId: StreamId
  readonly entriesAdded: number | undefined
  readonly maxDeletedId: StreamId | undefined
}

export interface Group {
  readonly name: Uint8Array
  readonly lastId: StreamId
  /** Undefined where the server does not know it. */
  readonly entriesRead: number | undefined
}

export interface Pending {
  readonly id: StreamId
  readonly consumer: Uint8Array
  /** By our clock. */
  readonly deliveredAt: number
  readonly deliveries: number
}

export function formatId(id: StreamId): string {
  return `${id >> sequenceBits}-${BigInt.asUintN(64, id)}`
}

/** Reads one stream of one server. */
export class StreamReader {
  readonly #door: Door
  readonly #key: Uint8Array
  readonly #clock: Clock

  constructor(door: Door, key: Uint8Array, clock: Clock) {
    this.#door = door
    this.#key = key
    this.#clock = clock
  }

  /** Undefined where there is no such key (any more). */
  async state(): Promise<StreamState | undefined> {
    let reply: readonly Reply[]
    try {
      reply = await this.#door.list('XINFO', 'STREAM', this.#key)
    } catch (error) {
      if (error instanceof AnswerError && error.message === 'ERR no such key') return undefined
      throw error
    }
    const facts = this.#facts(reply)
    const deleted = facts.get('max-deleted-entry-id')
    return {
      length: this.#number(facts.get('length')),
      lastId: this.#id(facts.get('last-generated-id')),
      entriesAdded: this.#numberOrNone(facts.get('entries-added')),
      maxDeletedId: deleted === undefined ? undefined : this.#id(deleted),
    }
  }

  /** All entries, in the order of ids, a chunk of bounded bytes at a time. */
  async *entries(): AsyncGenerator<StreamEntry[]> {
    const size = new ChunkSize()
    for (let from = 0n; from <= idMax; ) {
      const page = await this.#door.list('XRANGE', this.#key, formatId(from), '+', 'COUNT', String(size.count))
      const entries = page.map((item) => this.#entry(item))
      const last = entries.at(-1)
      if (last === undefined) return
      size.saw(entries.flatMap(({ fields }) => fields))
      yield entries
      from = last.id + 1n
    }
  }

  async groups(): Promise<Group[]> {
    const groups = await this.#door.list('XINFO', 'GROUPS', this.#key)
    return groups.map((group) => {
      const facts = this.#facts(group)
      return {
        name: this.#bytes(facts.get('name')),
        lastId: this.#id(facts.get('last-delivered-id')),
        entriesRead: this.#numberOrNone(facts.get('entries-read')),
      }
    })
  }

  async consumers(group: Uint8Array): Promise<Uint8Array[]> {
    const consumers = await this.#door.list('XINFO', 'CONSUMERS', this.#key, group)
    return consumers.map((consumer) => this.#bytes(this.#facts(consumer).get('name')))
  }

  /** What a group has given out and nobody has acknowledged, in the order of ids. */
  async *pendings(group: Uint8Array): AsyncGenerator<Pending[]> {
    for (let from = 0n; from <= idMax; ) {
      const page = await this.#door.list('XPENDING', this.#key, group, formatId(from), '+', pageEntries)
      const now = this.#clock.now()
      const pendings = page.map((item) => {
        const [id, consumer, idleMs, deliveries] = this.#items(item)
        return {
          id: this.#id(id),
          consumer: this.#bytes(consumer),
          deliveredAt: now - this.#number(idleMs),
          deliveries: this.#number(deliveries),
        }
      })
      const last = pendings.at(-1)
      if (last === undefined) return
      yield pendings
      from = last.id + 1n
    }
  }

  #entry(reply: Reply): StreamEntry {
    const [id, fields] = this.#items(reply)
    return { id: this.#id(id), fields: this.#items(fields).map((item) => this.#bytes(item)) }
  }

  /** Names, each with what it tells behind it. */
  #facts(reply: Reply): Map<string, Reply> {
    const items = this.#items(reply)
    const facts = new Map<string, Reply>()
    for (let place = 0; place + 1 < items.length; place += 2)
      facts.set(Buffer.from(this.#bytes(items[place])).toString('latin1'), items[place + 1] as Reply)
    return facts
  }

  #items(reply: Reply | undefined): readonly Reply[] {
    return Array.isArray(reply) ? (reply as readonly Reply[]) : this.#refuse()
  }

  #bytes(reply: Reply | undefined): Uint8Array {
    return reply instanceof Uint8Array ? reply : this.#refuse()
  }

  #number(reply: Reply | undefined): number {
    return typeof reply === 'number' ? reply : this.#refuse()
  }

  #numberOrNone(reply: Reply | undefined): number | undefined {
    return reply === undefined || reply === null ? undefined : this.#number(reply)
  }

  #id(reply: Reply | undefined): StreamId {
    const parts = /^(\d+)-(\d+)$/.exec(Buffer.from(this.#bytes(reply)).toString('latin1'))
    return parts === null ? this.#refuse() : (BigInt(parts[1] as string) << sequenceBits) | BigInt(parts[2] as string)
  }

  #refuse(): never {
    throw cliErrors.not_redis({ url: this.#door.name, problem: 'what it tells of a stream has another form' })
  }
}
