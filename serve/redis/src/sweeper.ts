/**
 * Cuts clients by rule: those that do nothing, that do not log in, and that do not read what they are owed. Looks at all of
 * them once a second, so a rule holds to the second.
 */

import type { Clock, Timer } from '@orbitkv/runtime'
import { stranger } from './access/people.ts'
import type { Client } from './client.ts'
import type { RedisLimits } from './config.ts'

export interface SweeperOptions {
  readonly clock: Clock
  /** As they are when it looks. */
  readonly limits: RedisLimits
  readonly clients: ReadonlyMap<number, Client>
  /** Told before the client is cut. */
  readonly onCut: (client: Client, reason: string) => void
}

const sweepMsMax = 1000

export class Sweeper {
  readonly #options: SweeperOptions
  #timer: Timer | undefined

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  start(): void {
    const { idleTimeoutMs, loginTimeoutMs } = this.#options.limits
    const timeouts = [idleTimeoutMs, loginTimeoutMs].filter((timeoutMs) => timeoutMs > 0)
    this.#timer = this.#options.clock.after(Math.min(sweepMsMax, ...timeouts), () => {
      this.#sweep()
      this.start()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #sweep(): void {
    const { clients, clock, onCut } = this.#options
    const nowMs = clock.now()
    for (const client of [...clients.values()]) {
      const reason = this.#reasonToCut(client, nowMs)
      if (reason === undefined) continue
      onCut(client, reason)
      client.cut()
    }
  }

  #reasonToCut(client: Client, nowMs: number): string | undefined {
    const { idleTimeoutMs, loginTimeoutMs } = this.#options.limits
    if (client.user === stranger && loginTimeoutMs > 0 && nowMs - client.createdMs >= loginTimeoutMs) {
      return 'did not log in'
    }
    const isIdle = idleTimeoutMs > 0 && nowMs - client.lastActiveMs >= idleTimeoutMs
    if (isIdle && client.outputBytes === 0 && !isWaiting(client)) return 'was idle'
    return this.#isTooSlow(client, nowMs) ? 'read too slowly' : undefined
  }

  #isTooSlow(client: Client, nowMs: number): boolean {
    const { messageSoftBytes, messageSoftMs, outputSoftBytes, outputSoftMs } = this.#options.limits
    const isListener = client.subscriptions !== undefined
    const softBytes = isListener ? messageSoftBytes : outputSoftBytes
    if (softBytes === 0 || client.outputBytes <= softBytes) {
      client.overSoftSinceMs = undefined
      return false
    }
    client.overSoftSinceMs ??= nowMs
    return nowMs - client.overSoftSinceMs >= (isListener ? messageSoftMs : outputSoftMs)
  }
}

/** Who waits for an element or for messages is not idle. */
function isWaiting({ isBlocked, subscriptions }: Client): boolean {
  return isBlocked || subscriptions !== undefined
}
