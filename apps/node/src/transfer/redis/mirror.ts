/**
 * Brings the keys of a Redis into a target and keeps them equal until the cut-over: copy, follow, compare.
 *
 *   copy ──► follow (events, or comparisons where there are none) ──► told to cut over ──► compare until nothing differs
 *
 * What must hold: at the end every key of the source was looked at in the target and the other way round, after the last
 * event; so what was missed in between (a lost connection, FLUSHALL) is made good there and nowhere else. Bounded: one page of
 * SCAN, `keysAtOnce` keys under way, and `dirtyMax` names of keys that wait; past that a comparison stands in for them.
 *
 * docs/decisions/following-redis.md says why it is done so.
 */

import { second } from '@orbitkv/base'
import type { Clock } from '@orbitkv/runtime'
import { cliErrors } from '../../errors.ts'
import { isOwnKey } from '../../targets/target.ts'
import type { KeyFault } from '../folder-records.ts'
import type { SourceAddress } from './address.ts'
import type { Door } from './door.ts'
import { KeyEvents, readSetting, writeSetting } from './key-events.ts'
import { KeySync, type Outcome } from './key-sync.ts'
import { type RedisSource, sourceError } from './source.ts'
import { SourceLink } from './source-link.ts'

const keysAtOnce = 64
const pageKeys = '512'
const dirtyMax = 1_000_000
const dirtyAtOnce = 512
/** Comparisons before the cut-over, while they find differences. */
const comparisonsMax = 3
/** How long a source without events is left alone between two comparisons, and one with events before it is asked for a sign of life. */
const idleMs = 5 * second

/** What is shown while it goes on. */
export interface MirrorView {
  /** Begins a stage; the result takes how far it is. */
  stage(label: string, unit: string, total: number | undefined): { update(count: number): void; finish(): void }
  note(text: string): void
}

/** Where an interrupted copy goes on. */
export interface MirrorProgress {
  readonly cursor: string
  readonly runId: string
  readonly isCopied: boolean
  readonly records: number
}

export interface MirrorOptions {
  readonly address: SourceAddress
  readonly target: Door
  readonly valueBytesMax: number | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly follows: boolean
  readonly from: MirrorProgress | undefined
  readonly view: MirrorView
  readonly save: (progress: MirrorProgress) => Promise<void>
  /** Told of every key that cannot be taken over, once in each stage; throws where that is to end the import. */
  readonly refuse: (fault: KeyFault) => void
  /** Told before each stage in which keys are refused anew. */
  readonly stageBegins: () => Promise<void>
}

export interface Comparison {
  /** Keys that both have. */
  readonly verified: number
  /** Keys that differed, and do no longer. */
  readonly mended: number
  readonly refused: number
  readonly expired: number
}

export interface MirrorResult {
  readonly finished: boolean
  /** Keys that were copied, those of earlier runs included. */
  readonly records: number
  /** Keys that changed while it followed, and were brought over again. */
  readonly followed: number
  /** How it followed; undefined where it did not. */
  readonly followedBy: 'events' | 'comparisons' | undefined
  /** The last one; undefined where it did not come to that. */
  readonly comparison: Comparison | undefined
}

export class Mirror {
  readonly #options: MirrorOptions
  readonly #link: SourceLink
  readonly #dirty = new Set<string>()
  #syncs: KeySync | undefined
  #cursor: string
  #runId: string
  #isCopied: boolean
  #records: number
  #followed = 0
  #events: KeyEvents | undefined
  /** The setting of the source before we changed it; undefined where we did not. */
  #settingBefore: string | undefined
  #hasMissedEvents = false
  #wake: () => void = () => {}

  constructor(options: MirrorOptions) {
    const { from, address, clock, signal, view } = options
    this.#options = options
    this.#cursor = from?.cursor ?? '0'
    this.#runId = from?.runId ?? ''
    this.#isCopied = from?.isCopied ?? false
    this.#records = from?.records ?? 0
    this.#link = new SourceLink({
      address,
      clock,
      signal,
      note: (text) => view.note(text),
      connected: (source) => this.#connected(source),
    })
  }

  /** Errors: those of the source and the target, of `refuse`, and `cli.source_emptied`. */
  async run(): Promise<MirrorResult> {
    const { address, follows, signal } = this.#options
    const wake = () => this.#wake()
    signal.addEventListener('abort', wake)
    try {
      if (follows) await this.#openEvents()
      if (!(await this.#copy())) return this.#result(false, undefined)
      const followedBy = follows ? await this.#follow() : undefined
      const comparison = await this.#cutOver()
      if (comparison === undefined) return this.#result(false, undefined)
      return { ...this.#result(true, comparison), followedBy }
    } catch (error) {
      throw sourceError(address, error)
    } finally {
      signal.removeEventListener('abort', wake)
      await this.#close()
    }
  }

  #result(finished: boolean, comparison: Comparison | undefined): MirrorResult {
    return { finished, records: this.#records, followed: this.#followed, followedBy: undefined, comparison }
  }

  async #connected(source: RedisSource): Promise<void> {
    const { address, target, clock, valueBytesMax } = this.#options
    if (this.#runId !== '' && source.runId !== this.#runId) {
      // A cursor is good for the tables of one run.
      this.#cursor = '0'
      if (this.#records > 0 && (await source.door.number('DBSIZE')) === 0)
        throw cliErrors.source_emptied({ source: address.url, records: this.#records })
    }
    this.#runId = source.runId
    this.#syncs = new KeySync(source, target, clock, valueBytesMax)
  }

  // ---- copy

  /** False when it was told to stop. */
  async #copy(): Promise<boolean> {
    if (this.#isCopied) return true
    const { view, address, signal, stageBegins } = this.#options
    await stageBegins()
    const total = await this.#link.use(({ door }) => door.number('DBSIZE'))
    const stage = view.stage(`copying ${address.url}`, 'keys', total)
    try {
      do {
        if (signal.aborted) return false
        const { next, outcomes } = await this.#link.use(async ({ door }) => {
          const page = await door.scan('SCAN', this.#cursor, 'COUNT', pageKeys)
          return { next: page.cursor, outcomes: await this.#syncAll(page.items) }
        })
        this.#refuseAll(outcomes)
        this.#records += outcomes.filter(({ outcome }) => !['absent', 'deleted'].includes(outcome.is)).length
        this.#cursor = next
        this.#isCopied = next === '0'
        await this.#save()
        stage.update(this.#records)
      } while (!this.#isCopied)
      return true
    } finally {
      stage.finish()
    }
  }

  #save(): Promise<void> {
    return this.#options.save({
      cursor: this.#cursor,
      runId: this.#runId,
      isCopied: this.#isCopied,
      records: this.#records,
    })
  }

  #refuseAll(outcomes: readonly SyncedKey[]): void {
    for (const { key, outcome } of outcomes)
      if (outcome.is === 'refused') this.#options.refuse({ key, problem: outcome.problem })
  }

  /** Brings keys over, several at once; the first failure ends all of them before it is told. */
  async #syncAll(keys: readonly Uint8Array[]): Promise<SyncedKey[]> {
    const sync = this.#syncs as KeySync
    const outcomes: SyncedKey[] = []
    let next = 0
    let hasFailed = false
    const worker = async () => {
      for (let key = keys[next++]; key !== undefined && !hasFailed; key = keys[next++]) {
        try {
          outcomes.push({ key, outcome: await sync.sync(key) })
        } catch (error) {
          hasFailed = true
          throw error
        }
      }
    }
    const ends = await Promise.allSettled(Array.from({ length: keysAtOnce }, worker))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    return outcomes
  }

  // ---- follow

  /** Until told to cut over; tells how. */
  async #follow(): Promise<'events' | 'comparisons'> {
    const { view, address, signal } = this.#options
    const how = this.#events === undefined && !this.#hasMissedEvents ? 'comparisons' : 'events'
    view.note(
      `following ${address.url}${how === 'events' ? '' : ' by comparing, as it does not tell what changes'}: stop its writers, then press Ctrl-C to cut over`,
    )
    const stage = view.stage(`following ${address.url}`, 'changes', undefined)
    try {
      while (!signal.aborted) {
        if (how === 'events' && this.#hasMissedEvents) await this.#catchUp()
        await this.#drain(() => signal.aborted)
        stage.update(this.#followed)
        await this.#untilWoken()
        if (how === 'comparisons' && !signal.aborted) this.#followed += (await this.#compare(true))?.mended ?? 0
      }
      return how
    } finally {
      stage.finish()
    }
  }

  async #openEvents(): Promise<void> {
    const { address, clock, view } = this.#options
    await this.#link.use(async ({ door }) => {
      const before = await readSetting(door)
      try {
        this.#events = await KeyEvents.open({
          address,
          clock,
          source: door,
          changed: (key) => this.#changed(key),
          lost: () => {
            this.#events = undefined
            this.#hasMissedEvents = true
            view.note(`${address.url} stopped telling what changes; it will be compared`)
            this.#wake()
          },
        })
      } catch (error) {
        // If the source is away as a whole, this connection is lost as well, and both are made again.
        await door.call('PING')
        throw error
      }
      if (this.#events !== undefined && before !== undefined) this.#settingBefore ??= before
    })
  }

  #changed(key: Uint8Array): void {
    if (this.#dirty.size < dirtyMax) this.#dirty.add(Buffer.from(key).toString('latin1'))
    else this.#hasMissedEvents = true
    this.#wake()
  }

  /** What nobody told, because the connection was lost or too much changed at once. */
  async #catchUp(): Promise<void> {
    this.#hasMissedEvents = false
    if (this.#events === undefined) await this.#openEvents()
    this.#followed += (await this.#compare(true))?.mended ?? 0
  }

  /** Brings over what was told to have changed before the call: a source that is written all the time would keep it for ever. */
  async #drain(isStopped: () => boolean = () => false): Promise<void> {
    for (let left = this.#dirty.size; left > 0 && !isStopped(); ) {
      const names: string[] = []
      for (const name of this.#dirty) if (names.push(name) === Math.min(left, dirtyAtOnce)) break
      left -= names.length
      // Before they are read: what changes from here on is told again.
      for (const name of names) this.#dirty.delete(name)
      const keys = names.map((name) => Buffer.from(name, 'latin1'))
      const outcomes = await this.#link.use(() => this.#syncAll(keys))
      this.#refuseAll(outcomes)
      this.#followed += outcomes.filter(({ outcome }) => isMended(outcome)).length
    }
  }

  /** Until something is to be done, or for `idleMs`. */
  async #untilWoken(): Promise<void> {
    const { clock, signal } = this.#options
    if (this.#dirty.size > 0 || this.#hasMissedEvents || signal.aborted) return
    let isIdle = false
    await new Promise<void>((resolve) => {
      const timer = clock.after(idleMs, () => {
        isIdle = true
        resolve()
      })
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#wake = () => {}
    // A connection that died without a word is found out by asking.
    if (isIdle && this.#events !== undefined) await this.#fence()
  }

  /** Afterwards every change that the source made before is in `dirty`, or known to be missed. */
  async #fence(): Promise<void> {
    const events = this.#events
    if (events === undefined) return
    try {
      await events.fence()
    } catch (error) {
      // `lost` has been told already, and a comparison follows.
      if (!this.#hasMissedEvents) throw error
    }
  }

  // ---- compare

  /** Compares until nothing differs; undefined when it was told to stop, which who follows has been already. */
  async #cutOver(): Promise<Comparison | undefined> {
    const mayStop = !this.#options.follows
    let last: Comparison | undefined
    for (let comparisons = 0; comparisons < comparisonsMax; comparisons++) {
      await this.#fence()
      await this.#drain()
      const found = await this.#compare(mayStop)
      if (found === undefined) return undefined
      await this.#fence()
      const before = this.#followed
      await this.#drain()
      last = { ...found, mended: found.mended + this.#followed - before }
      if (last.mended === 0) break
    }
    return last
  }

  /** All keys of both sides, once; undefined when it was told to stop and may. */
  async #compare(mayStop: boolean): Promise<Comparison | undefined> {
    const { view, address, signal, stageBegins } = this.#options
    await stageBegins()
    const total = await this.#link.use(({ door }) => door.number('DBSIZE'))
    const stage = view.stage(`comparing ${address.url}`, 'keys', 2 * total)
    const counts = { mended: 0, refused: 0, expired: 0 }
    let seen = 0
    const tally = (outcomes: readonly SyncedKey[]) => {
      this.#refuseAll(outcomes)
      for (const { outcome } of outcomes) {
        if (isMended(outcome)) counts.mended++
        if (outcome.is === 'refused' || outcome.is === 'expired') counts[outcome.is]++
      }
    }
    try {
      let place = { cursor: '0', runId: this.#runId }
      do {
        if (mayStop && signal.aborted) return undefined
        const from = place
        const { cursor, runId, outcomes } = await this.#link.use(async ({ door, runId }) => {
          const page = await door.scan('SCAN', runId === from.runId ? from.cursor : '0', 'COUNT', pageKeys)
          return { cursor: page.cursor, runId, outcomes: await this.#syncAll(page.items) }
        })
        tally(outcomes)
        place = { cursor, runId }
        seen += outcomes.length
        stage.update(seen)
      } while (place.cursor !== '0')

      let verified = 0
      for await (const keys of this.#targetKeys()) {
        if (mayStop && signal.aborted) return undefined
        const { others, outcomes } = await this.#link.use(async ({ door }) => {
          const found = await Promise.all(keys.map((key) => door.number('EXISTS', key)))
          const gone = keys.filter((_, place) => found[place] === 0)
          return { others: gone.length, outcomes: await this.#syncAll(gone) }
        })
        tally(outcomes)
        verified += keys.length - others
        seen += keys.length
        stage.update(seen)
      }
      return { verified, ...counts }
    } finally {
      stage.finish()
    }
  }

  async *#targetKeys(): AsyncGenerator<Uint8Array[]> {
    const { target } = this.#options
    let cursor = '0'
    do {
      const page = await target.scan('SCAN', cursor, 'COUNT', pageKeys)
      cursor = page.cursor
      yield page.items.filter((key) => !isOwnKey(key))
    } while (cursor !== '0')
  }

  async #close(): Promise<void> {
    await this.#events?.close()
    const before = this.#settingBefore
    if (before !== undefined) await this.#putBack(before)
    await this.#link.close()
  }

  /** The setting of the source, as it was. That it cannot be put back is told, and hides no other error. */
  async #putBack(before: string): Promise<void> {
    const { address, view } = this.#options
    try {
      if (await this.#link.use(({ door }) => writeSetting(door, before))) return
      view.note(`${address.url} keeps notify-keyspace-events; set it back to ${JSON.stringify(before)}`)
    } catch (error) {
      view.note(
        `${address.url} cannot be told to set notify-keyspace-events back to ${JSON.stringify(before)} (${(error as Error).message})`,
      )
    }
  }
}

interface SyncedKey {
  readonly key: Uint8Array
  readonly outcome: Outcome
}

function isMended({ is }: Outcome): boolean {
  return is === 'stored' || is === 'changed' || is === 'deleted'
}
