/**
 * Slows guessing of passwords down: after some failures an address, and a user wherever it is tried, has to wait before the
 * next attempt, each time twice as long, up to the lock-out.
 *
 * An attempt that comes too early is refused without a look at the password, so that guessing faster gains nothing. A user
 * as a whole is locked later than an address, since anybody can lock it for others; a user at an address where its password
 * was right before is counted apart, so that others lock it neither there nor elsewhere.
 *
 * What must hold: a right password sets back the count of its own user at its own address and nothing else, or whoever has
 * one account could guess those of others for ever. The memory is bounded, whatever number of addresses and names come.
 */

import { networkOf } from './address.ts'
import type { AccessLimits } from './config.ts'
import { Recent } from './recent.ts'

/** Addresses and names that are remembered; who comes more often than others stays. */
const entriesMax = 10_000
/** A user is locked after so many times the failures that lock an address. */
const userFactor = 10

interface Failures {
  count: number
  /** No attempt before. */
  untilMs: number
  lastMs: number
}

export class LoginGuard {
  readonly #limits: AccessLimits
  readonly #byAddress = new Recent<Failures>(entriesMax)
  readonly #byUser = new Recent<Failures>(entriesMax)
  /** By user and address, where the password was right once. */
  readonly #known = new Recent<Failures>(entriesMax)

  constructor(limits: AccessLimits) {
    this.#limits = limits
  }

  /** 0 if an attempt may be made now; otherwise how long to wait. */
  waitMs(address: string, user: string, nowMs: number): number {
    if (this.#limits.loginFailuresMax === 0) return 0
    const network = networkOf(address)
    const pair = pairOf(user, network)
    if (this.#known.get(pair) !== undefined) return this.#remainingMs(this.#known, pair, nowMs)
    const ofAddressMs = this.#remainingMs(this.#byAddress, network, nowMs)
    return Math.max(ofAddressMs, this.#remainingMs(this.#byUser, user, nowMs))
  }

  /** Returns whether the address is locked now. */
  failed(address: string, user: string, nowMs: number): boolean {
    const { loginFailuresMax } = this.#limits
    if (loginFailuresMax === 0) return false
    const network = networkOf(address)
    const pair = pairOf(user, network)
    if (this.#known.get(pair) !== undefined) return this.#count(this.#known, pair, loginFailuresMax, nowMs)
    this.#count(this.#byUser, user, loginFailuresMax * userFactor, nowMs)
    return this.#count(this.#byAddress, network, loginFailuresMax, nowMs)
  }

  succeeded(address: string, user: string): void {
    this.#known.set(pairOf(user, networkOf(address)), { count: 0, untilMs: 0, lastMs: 0 })
  }

  #remainingMs(entries: Recent<Failures>, key: string, nowMs: number): number {
    const failures = entries.get(key)
    if (failures === undefined) return 0
    const isPast = nowMs - failures.lastMs > this.#limits.loginLockoutMs && nowMs >= failures.untilMs
    if (isPast) failures.count = 0
    return Math.max(0, failures.untilMs - nowMs)
  }

  #count(entries: Recent<Failures>, key: string, failuresMax: number, nowMs: number): boolean {
    const failures = entries.get(key) ?? { count: 0, untilMs: 0, lastMs: nowMs }
    failures.count++
    failures.lastMs = nowMs
    const over = failures.count - failuresMax
    if (over >= 0) {
      const { loginDelayMs, loginLockoutMs } = this.#limits
      // Past 2^30 times the delay there is no use in counting on.
      failures.untilMs = nowMs + Math.min(loginLockoutMs, loginDelayMs * 2 ** Math.min(over, 30))
    }
    entries.set(key, failures)
    return over >= 0
  }
}

/** Names have no blanks. */
function pairOf(user: string, network: string): string {
  return `${user} ${network}`
}
