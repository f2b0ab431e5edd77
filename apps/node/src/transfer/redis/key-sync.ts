/**
 * Makes one key of the target what it is in the source: the one thing that copying, following and comparing do.
 *
 * Elements are compared in chunks and only what differs is written, so that it costs little where all is equal, and holds
 * little however large the value is. It does not happen at one moment: a key that is written meanwhile may come over as
 * it never was. Whoever calls sees to it that such a key is brought here again (by events, or by the last comparison).
 */

import { assert, MiB } from '@orbitkv/base'
import type { Clock } from '@orbitkv/runtime'
import { keyProblem, valueProblem } from '../limits.ts'
import { collectionTypes } from './collections.ts'
import { AnswerError, type Door } from './door.ts'
import type { RedisSource } from './source.ts'

/** What came of a key; one that is refused is not in the target. */
export type Outcome =
  | { readonly is: 'equal' | 'stored' | 'changed' | 'deleted' | 'expired' | 'absent' }
  | { readonly is: 'refused'; readonly problem: string }

/** How far moments may be apart that were worked out of what is left: a round trip, and the source's own rounding. */
const leftToleranceMs = 2000
/** A key that changes its type under our hands this often is left for the next time. */
const triesMax = 5
/** The longest argument that a server of ours takes. */
const argumentBytesMax = 64 * MiB
/** Values from here on are held one at a time. */
const largeBytes = 1 * MiB

/** A key on its way: what the target has of it. */
interface KeyState {
  readonly key: Uint8Array
  /** What the source has; negative for never. */
  readonly expiresAt: number
  readonly isThere: boolean
  ownExpiresAt: number
  hasChanged: boolean
}

export class KeySync {
  readonly #source: RedisSource
  readonly #target: Door
  readonly #clock: Clock
  readonly #valueBytesMax: number
  #holdsLarge = false
  readonly #waitingLarge: (() => void)[] = []

  constructor(source: RedisSource, target: Door, clock: Clock, valueBytesMax: number | undefined) {
    this.#source = source
    this.#target = target
    this.#clock = clock
    this.#valueBytesMax = valueBytesMax ?? argumentBytesMax
  }

  /** Errors: `AnswerError` where a server answers something that is no matter of this key, and a connection that is lost. */
  async sync(key: Uint8Array): Promise<Outcome> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#sync(key)
      } catch (error) {
        if (!(error instanceof AnswerError)) throw error
        // Of another type than a moment ago, in one of the two.
        if (error.kind === 'WRONGTYPE') {
          if (tries < triesMax) continue
          // Whoever writes it that often is told of, and it comes again; until then nobody may take both for equal.
          return { is: 'changed' }
        }
        // What the target says of a value, as of an element that is too large, begins with ERR; what begins otherwise (a
        // full disk, no rights) and what the source says would be the same for the next key.
        if (error.door !== this.#target || error.kind !== 'ERR') throw error
        return this.#refuse(key, error.message)
      }
    }
  }

  async #sync(key: Uint8Array): Promise<Outcome> {
    const problem = keyProblem(key)
    if (problem !== undefined) return { is: 'refused', problem }
    const [type, expiresAt, ownType, ownExpiresAt] = await Promise.all([
      this.#source.door.text('TYPE', key),
      this.#expiryInSource(key),
      this.#target.text('TYPE', key),
      this.#target.number('PEXPIRETIME', key),
    ])
    const isOwn = ownType !== 'none'
    const isExpired = expiresAt > 0 && expiresAt <= this.#clock.now()
    if (type === 'none' || isExpired) {
      if (isOwn) await this.#target.call('DEL', key)
      if (isExpired) return { is: 'expired' }
      return { is: isOwn ? 'deleted' : 'absent' }
    }
    const isCollection = Object.hasOwn(collectionTypes, type)
    if (!isCollection && type !== 'string')
      return this.#refuse(key, `its type is ${type}, which import does not take over`)
    const isThere = ownType === type
    if (!isThere && isOwn) await this.#target.call('DEL', key)
    const state: KeyState = { key, expiresAt, isThere, ownExpiresAt: isThere ? ownExpiresAt : -1, hasChanged: false }
    const refused = isCollection ? await this.#collection(type, state) : await this.#string(state)
    if (refused !== undefined) return this.#refuse(key, refused)
    await this.#mendExpiry(state)
    if (!state.hasChanged) return { is: 'equal' }
    return { is: isOwn ? 'changed' : 'stored' }
  }

  /** A part of it, or an earlier value, must not stay. */
  async #refuse(key: Uint8Array, problem: string): Promise<Outcome> {
    await this.#target.call('DEL', key)
    return { is: 'refused', problem }
  }

  /** Milliseconds since 1970; negative for never, or where there is no such key. */
  async #expiryInSource(key: Uint8Array): Promise<number> {
    const { door, tellsMoments } = this.#source
    if (tellsMoments) return door.number('PEXPIRETIME', key)
    const leftMs = await door.number('PTTL', key)
    return leftMs < 0 ? leftMs : this.#clock.now() + leftMs
  }

  async #mendExpiry(state: KeyState): Promise<void> {
    const { key, expiresAt, ownExpiresAt } = state
    if (expiresAt < 0 && ownExpiresAt < 0) return
    const toleranceMs = this.#source.tellsMoments ? 0 : leftToleranceMs
    if (expiresAt > 0 && ownExpiresAt > 0 && Math.abs(expiresAt - ownExpiresAt) <= toleranceMs) return
    await (expiresAt > 0 ? this.#target.call('PEXPIREAT', key, String(expiresAt)) : this.#target.call('PERSIST', key))
    state.hasChanged = true
  }

  async #string(state: KeyState): Promise<string | undefined> {
    const bytes = await this.#source.door.number('STRLEN', state.key)
    const problem = valueProblem(bytes, this.#valueBytesMax)
    if (problem !== undefined) return problem
    if (bytes < largeBytes) await this.#copyString(state)
    else await this.#alone(() => this.#copyString(state))
    return undefined
  }

  async #copyString(state: KeyState): Promise<void> {
    const { key, isThere, expiresAt } = state
    const [value, own] = await Promise.all([
      this.#source.door.bytes('GET', key),
      isThere ? this.#target.bytes('GET', key) : null,
    ])
    // Gone since: whoever tells of that brings the key here again.
    if (value === null || (own !== null && Buffer.compare(value, own) === 0)) return
    await this.#target.call('SET', key, value, ...(expiresAt > 0 ? ['PXAT', String(expiresAt)] : []))
    state.ownExpiresAt = expiresAt
    state.hasChanged = true
  }

  async #collection(type: string, state: KeyState): Promise<string | undefined> {
    const sync = collectionTypes[type]
    assert(sync !== undefined, 'the caller asked for the types that there are')
    const {
      hasChanged,
      isAnew = false,
      problem,
    } = await sync({
      source: this.#source.door,
      target: this.#target,
      key: state.key,
      isThere: state.isThere,
      elementBytesMax: this.#valueBytesMax,
      clock: this.#clock,
    })
    state.hasChanged = hasChanged
    if (isAnew) state.ownExpiresAt = -1
    return problem
  }

  /** One after the other, in the order of the calls. */
  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#holdsLarge) await new Promise<void>((resolve) => this.#waitingLarge.push(resolve))
    this.#holdsLarge = true
    try {
      await work()
    } finally {
      const next = this.#waitingLarge.shift()
      if (next === undefined) this.#holdsLarge = false
      else next()
    }
  }
}
