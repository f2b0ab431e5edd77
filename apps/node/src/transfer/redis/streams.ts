/**
 * Makes a stream of the target what it is in the source: entries with their ids, the last id and the counters, groups,
 * consumers, and what is pending.
 *
 * What must hold: where nothing changes the source meanwhile, both are equal afterwards, but for what no command can make:
 * what is pending of entries that are deleted themselves, and when a consumer was last seen. What goes away under our
 * hands is no failure: whoever tells of that brings the key here again, and until then it counts as changed.
 */

import { assert, KiB } from '@orbitkv/base'
import type { Clock } from '@orbitkv/runtime'
import type { Argument } from '../../targets/resp.ts'
import { valueProblem } from '../limits.ts'
import type { CollectionOutcome, CollectionPair } from './collections.ts'
import { AnswerError, type Door } from './door.ts'
import { formatId, type Group, type Pending, type StreamEntry, type StreamId, StreamReader } from './stream-reads.ts'

/** How far apart times of delivery may be: servers tell how long ago it was, and asking takes a while. */
const deliveredToleranceMs = 2000
const callsAtOnce = 512
const bytesAtOnce = 512 * KiB
/** Lives for a moment, in a stream that is made without entries. */
const passingGroup = 'orbit'

export async function syncStream(pair: CollectionPair): Promise<CollectionOutcome> {
  try {
    const outcome = await new StreamPair(pair, pair.isThere).sync()
    if (outcome !== undefined) return outcome
    await pair.target.call('DEL', pair.key)
    const anew = await new StreamPair(pair, false).sync()
    assert(anew !== undefined, 'nothing is in the way of a stream that is made anew')
    return { ...anew, hasChanged: true, isAnew: true }
  } catch (error) {
    const isGone = error instanceof AnswerError && (error.kind === 'NOGROUP' || error.message === 'ERR no such key')
    if (isGone) return { hasChanged: true }
    throw error
  }
}

class StreamPair {
  readonly #key: Uint8Array
  readonly #isThere: boolean
  readonly #entryBytesMax: number
  readonly #target: Door
  readonly #clock: Clock
  readonly #theirs: StreamReader
  readonly #own: StreamReader
  readonly #batch: Batch
  /** The greatest id that was read in the source. */
  #lastRead: StreamId = 0n
  #hasChanged = false

  constructor({ source, target, key, clock, elementBytesMax }: CollectionPair, isThere: boolean) {
    this.#key = key
    this.#isThere = isThere
    this.#entryBytesMax = elementBytesMax
    this.#target = target
    this.#clock = clock
    this.#theirs = new StreamReader(source, key, clock)
    this.#own = new StreamReader(target, key, clock)
    this.#batch = new Batch(target)
  }

  /** Undefined where the target's must be deleted and made anew. */
  async sync(): Promise<CollectionOutcome | undefined> {
    const entries = await this.#entries()
    if (entries === 'in the way') return undefined
    if (entries !== undefined) return { hasChanged: this.#hasChanged, problem: entries.problem }
    const state = await this.#state()
    if (state === 'in the way') return undefined
    if (state === 'set') await this.#groups()
    return { hasChanged: this.#hasChanged }
  }

  /** Entries stand in the order of their ids: what is missing before the last id of the target cannot be added. */
  async #entries(): Promise<'in the way' | { readonly problem: string } | undefined> {
    const lastId = this.#isThere ? ((await this.#own.state())?.lastId ?? 0n) : 0n
    let isTrimmed = false
    let othersAtStart = 0
    for await (const { theirs, own } of merged(
      this.#theirs.entries(),
      this.#isThere ? this.#own.entries() : nothing(),
    )) {
      if (theirs === undefined) {
        if (this.#lastRead === 0n) othersAtStart++
        else if (own !== undefined) await this.#write(['XDEL', this.#key, formatId(own.id)])
        continue
      }
      this.#lastRead = theirs.id
      if (own === undefined ? theirs.id <= lastId : !isSameEntry(theirs, own)) return 'in the way'
      if (othersAtStart > 0 && !isTrimmed) {
        // As the source did: what is trimmed does not count as deleted.
        await this.#write(['XTRIM', this.#key, 'MINID', formatId(theirs.id)])
        isTrimmed = true
      }
      if (own !== undefined) continue
      const problem = this.#problemOf(theirs)
      if (problem !== undefined) return { problem }
      await this.#write(['XADD', this.#key, formatId(theirs.id), ...theirs.fields])
    }
    if (othersAtStart > 0 && !isTrimmed) await this.#write(['XTRIM', this.#key, 'MAXLEN', '0'])
    await this.#batch.flush()
    return undefined
  }

  #problemOf({ fields }: StreamEntry): string | undefined {
    return valueProblem(sizeOf(fields), this.#entryBytesMax)?.replace('the value', 'an entry')
  }

  async #write(command: readonly Argument[]): Promise<void> {
    this.#hasChanged = true
    await this.#batch.add(command)
  }

  /** The last id and the counters, which are read after the entries, so that they are not behind them. */
  async #state(): Promise<'set' | 'in the way' | 'changed meanwhile'> {
    let own = await this.#own.state()
    if (own === undefined) {
      await this.#target.call('XGROUP', 'CREATE', this.#key, passingGroup, '0', 'MKSTREAM')
      await this.#target.call('XGROUP', 'DESTROY', this.#key, passingGroup)
      this.#hasChanged = true
      own = await this.#own.state()
    }
    const theirs = await this.#theirs.state()
    if (theirs === undefined || own === undefined) return this.#meanwhile()
    const { lastId, entriesAdded = own.entriesAdded ?? 0, maxDeletedId = own.maxDeletedId ?? 0n } = theirs
    if (lastId < this.#lastRead || entriesAdded < own.length) return this.#meanwhile()
    if (lastId === own.lastId && entriesAdded === own.entriesAdded && maxDeletedId === own.maxDeletedId) return 'set'
    // No command takes this one back.
    if (maxDeletedId === 0n && own.maxDeletedId !== 0n) return this.#isThere ? 'in the way' : this.#meanwhile()
    const counters = ['ENTRIESADDED', String(entriesAdded), 'MAXDELETEDID', formatId(maxDeletedId)]
    await this.#target.call('XSETID', this.#key, formatId(lastId), ...counters)
    this.#hasChanged = true
    return 'set'
  }

  #meanwhile(): 'changed meanwhile' {
    this.#hasChanged = true
    return 'changed meanwhile'
  }

  async #groups(): Promise<void> {
    const [groups, ownGroups] = await Promise.all([this.#theirs.groups(), this.#own.groups()])
    const names = new Set(groups.map(({ name }) => textOf(name)))
    const own = new Map(ownGroups.map((group) => [textOf(group.name), group]))
    for (const { name } of ownGroups)
      if (!names.has(textOf(name))) await this.#write(['XGROUP', 'DESTROY', this.#key, name])
    for (const group of groups) {
      const ownGroup = own.get(textOf(group.name))
      await this.#group(group, ownGroup)
      await this.#consumers(group, ownGroup !== undefined)
      await this.#pendings(group, ownGroup !== undefined)
    }
    await this.#batch.flush()
  }

  async #group({ name, lastId, entriesRead }: Group, own: Group | undefined): Promise<void> {
    if (own !== undefined && own.lastId === lastId && own.entriesRead === entriesRead) return
    const read = entriesRead === undefined ? [] : ['ENTRIESREAD', String(entriesRead)]
    await this.#write(['XGROUP', own === undefined ? 'CREATE' : 'SETID', this.#key, name, formatId(lastId), ...read])
  }

  async #consumers({ name }: Group, isThere: boolean): Promise<void> {
    const consumers = await this.#theirs.consumers(name)
    const ownConsumers = isThere ? await this.#own.consumers(name) : []
    const wanted = new Set(consumers.map(textOf))
    const own = new Set(ownConsumers.map(textOf))
    for (const consumer of ownConsumers)
      if (!wanted.has(textOf(consumer))) await this.#write(['XGROUP', 'DELCONSUMER', this.#key, name, consumer])
    for (const consumer of consumers)
      if (!own.has(textOf(consumer))) await this.#write(['XGROUP', 'CREATECONSUMER', this.#key, name, consumer])
    // With a consumer goes what it had pending, which is looked at next.
    await this.#batch.flush()
  }

  async #pendings({ name }: Group, isThere: boolean): Promise<void> {
    const pairs = merged(this.#theirs.pendings(name), isThere ? this.#own.pendings(name) : nothing())
    for await (const { theirs, own } of pairs) {
      if (theirs === undefined) {
        if (own !== undefined) await this.#write(['XACK', this.#key, name, formatId(own.id)])
      } else if (own === undefined || !isSamePending(theirs, own)) await this.#claim(name, theirs, own !== undefined)
    }
    await this.#batch.flush()
  }

  async #claim(group: Uint8Array, pending: Pending, isThere: boolean): Promise<void> {
    const { id, consumer, deliveredAt, deliveries } = pending
    // How long ago, and not when: the clock of the target may be another one.
    const idleMs = Math.max(0, this.#clock.now() - deliveredAt)
    const how = ['IDLE', String(idleMs), 'RETRYCOUNT', String(deliveries), 'FORCE', 'JUSTID']
    if (isThere) this.#hasChanged = true
    await this.#batch.add(['XCLAIM', this.#key, group, consumer, '0', formatId(id), ...how], (claimed) => {
      // Of an entry that is deleted itself nothing is claimed.
      if (Array.isArray(claimed) && claimed.length > 0) this.#hasChanged = true
    })
  }
}

/** Commands that go out together: as many as are under way, and their bytes, are bounded. */
class Batch {
  readonly #target: Door
  #calls: Promise<void>[] = []
  #bytes = 0

  constructor(target: Door) {
    this.#target = target
  }

  async add(command: readonly Argument[], answered: (reply: unknown) => void = () => {}): Promise<void> {
    this.#calls.push(this.#target.call(...command).then(answered))
    this.#bytes += sizeOf(command)
    if (this.#calls.length >= callsAtOnce || this.#bytes >= bytesAtOnce) await this.flush()
  }

  async flush(): Promise<void> {
    const calls = this.#calls
    this.#calls = []
    this.#bytes = 0
    await Promise.all(calls)
  }
}

interface Both<Item> {
  readonly theirs: Item | undefined
  readonly own: Item | undefined
}

/**
 * What two servers have, in the order of ids, what has the same id together. The next one of the target is read before
 * anything is yielded, so that what is written for it is never met again.
 */
async function* merged<Item extends { readonly id: StreamId }>(
  source: AsyncIterable<readonly Item[]>,
  target: AsyncIterable<readonly Item[]>,
): AsyncGenerator<Both<Item>> {
  const ownItems = oneByOne(target)
  let own = (await ownItems.next()).value
  for await (const theirs of oneByOne(source)) {
    for (; own !== undefined && own.id < theirs.id; own = (await ownItems.next()).value)
      yield { theirs: undefined, own }
    const isBoth = own !== undefined && own.id === theirs.id
    const same = isBoth ? own : undefined
    if (isBoth) own = (await ownItems.next()).value
    yield { theirs, own: same }
  }
  for (; own !== undefined; own = (await ownItems.next()).value) yield { theirs: undefined, own }
}

async function* oneByOne<Item>(pages: AsyncIterable<readonly Item[]>): AsyncGenerator<Item, undefined> {
  for await (const page of pages) yield* page
}

async function* nothing(): AsyncGenerator<never> {}

function isSameEntry({ fields }: StreamEntry, own: StreamEntry): boolean {
  return (
    fields.length === own.fields.length &&
    fields.every((field, place) => Buffer.compare(field, own.fields[place] as Uint8Array) === 0)
  )
}

function isSamePending({ consumer, deliveredAt, deliveries }: Pending, own: Pending): boolean {
  return (
    Buffer.compare(consumer, own.consumer) === 0 &&
    deliveries === own.deliveries &&
    Math.abs(deliveredAt - own.deliveredAt) <= deliveredToleranceMs
  )
}

function sizeOf(items: readonly Argument[]): number {
  return items.reduce((sum, item) => sum + item.length, 0)
}

function textOf(name: Uint8Array): string {
  return Buffer.from(name).toString('latin1')
}
