/**
 * How much a user or an address may ask for in a second: commands, and bytes of requests and replies.
 *
 * Each has two buckets that fill up all the time and hold one second's worth. A command takes one; bytes are taken once
 * they have come or gone, so that the bucket may owe some. While a bucket owes, commands are refused, and told how
 * long to wait.
 */

import { networkOf } from './address.ts'
import type { AccessLimits } from './config.ts'
import { Recent } from './recent.ts'

const entriesMax = 10_000
const roundingMs = 1e-6

class Bucket {
  #tokens: number
  #filledMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#tokens = perSecond
    this.#filledMs = nowMs
  }

  /** 0 if there is some; otherwise how long until there is. */
  waitMs(perSecond: number, nowMs: number): number {
    if (perSecond === 0) return 0
    this.#fill(perSecond, nowMs)
    if (this.#tokens >= 1 - roundingMs) return 0
    // What rounding of fractions adds is no millisecond more.
    return Math.ceil(((1 - this.#tokens) * 1000) / perSecond - roundingMs)
  }

  take(amount: number): void {
    this.#tokens -= amount
  }

  #fill(perSecond: number, nowMs: number): void {
    const gained = (Math.max(0, nowMs - this.#filledMs) * perSecond) / 1000
    this.#tokens = Math.min(perSecond, this.#tokens + gained)
    this.#filledMs = Math.max(this.#filledMs, nowMs)
  }
}

/** What one user or address has left. */
export interface Meter {
  readonly commands: Bucket
  readonly bytes: Bucket
}

export type Metered = 'user' | 'address'

/** Which limit was reached, and when to try again. */
export interface RateDenial {
  readonly metered: Metered
  readonly what: 'commands' | 'bytes'
  readonly perSecondMax: number
  readonly waitMs: number
}

export class Rates {
  readonly #limits: AccessLimits
  readonly #meters = { user: new Recent<Meter>(entriesMax), address: new Recent<Meter>(entriesMax) }

  constructor(limits: AccessLimits) {
    this.#limits = limits
  }

  /** Whether anything is counted at all. */
  get isOn(): boolean {
    const { userCommandsPerSecondMax, userBytesPerSecondMax, addressCommandsPerSecondMax, addressBytesPerSecondMax } =
      this.#limits
    return userCommandsPerSecondMax + userBytesPerSecondMax + addressCommandsPerSecondMax + addressBytesPerSecondMax > 0
  }

  /** Counts a command, or says why it must wait. No user: of somebody who has not logged in, and uses up no user's share. */
  admit(user: string | undefined, address: string, nowMs: number): RateDenial | undefined {
    const network = networkOf(address)
    const ofUser = user === undefined ? undefined : this.#denial('user', user, nowMs)
    const denial = ofUser ?? this.#denial('address', network, nowMs)
    if (denial !== undefined) return denial
    if (user !== undefined) this.#meter('user', user, nowMs).commands.take(1)
    this.#meter('address', network, nowMs).commands.take(1)
    return undefined
  }

  /** Bytes that have come or gone; of whom, as for `admit`. */
  count(user: string | undefined, address: string, bytes: number, nowMs: number): void {
    if (user !== undefined) this.#meter('user', user, nowMs).bytes.take(bytes)
    this.#meter('address', networkOf(address), nowMs).bytes.take(bytes)
  }

  #denial(metered: Metered, name: string, nowMs: number): RateDenial | undefined {
    const { commands, bytes } = this.#meter(metered, name, nowMs)
    const commandsMax = this.#limits[`${metered}CommandsPerSecondMax`]
    const bytesMax = this.#limits[`${metered}BytesPerSecondMax`]
    const commandsMs = commands.waitMs(commandsMax, nowMs)
    if (commandsMs > 0) return { metered, what: 'commands', perSecondMax: commandsMax, waitMs: commandsMs }
    const bytesMs = bytes.waitMs(bytesMax, nowMs)
    return bytesMs > 0 ? { metered, what: 'bytes', perSecondMax: bytesMax, waitMs: bytesMs } : undefined
  }

  #meter(metered: Metered, name: string, nowMs: number): Meter {
    const known = this.#meters[metered].get(name)
    if (known !== undefined) return known
    const meter = {
      commands: new Bucket(this.#limits[`${metered}CommandsPerSecondMax`], nowMs),
      bytes: new Bucket(this.#limits[`${metered}BytesPerSecondMax`], nowMs),
    }
    this.#meters[metered].set(name, meter)
    return meter
  }
}
