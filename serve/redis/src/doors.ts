/**
 * Where clients come in: the ports, in plain and over TLS, and who is turned away at once.
 *
 * What must hold: while the default user needs no password, nobody but this machine is let in (protected mode). A
 * connection that is turned away is told why, as Redis words it.
 */

import type { Address, Connection, Listener, Network } from '@orbitkv/runtime'
import type { Access } from './access/access.ts'
import type { RedisLimits } from './config.ts'
import { redisErrors } from './errors.ts'
import type { RedisStats } from './view.ts'

/** A port for TLS beside the plain one, or in its place. */
export interface TlsDoor {
  /** Encrypts (`createTlsNetwork` of @orbitkv/runtime). */
  readonly network: Network
  /** 0 takes a free one. */
  readonly port: number
  /** There is no plain port. */
  readonly isOnly: boolean
  /** The settings by their Redis names: `tls-cert-file` and its kin. */
  readonly settings: () => Readonly<Record<string, string>>
  /** Reads the files again, with other values for some settings; returns what puts them into force. Throws where they cannot be used. */
  readonly prepare: (settings: Readonly<Record<string, string>>) => () => void
}

export interface DoorsOptions {
  readonly network: Network
  readonly address: Address
  readonly tls: TlsDoor | undefined
  readonly limits: RedisLimits
  readonly stats: RedisStats
  readonly access: Access
  readonly clientCount: () => number
  readonly welcome: (connection: Connection) => void
}

export class Doors {
  address: Address = { host: '', port: 0 }
  sharedAddress: Address | undefined
  tlsAddress: Address | undefined
  readonly #options: DoorsOptions
  readonly #listeners: Listener[] = []
  readonly #isOnlyLocal: boolean

  constructor(options: DoorsOptions) {
    this.#options = options
    this.#isOnlyLocal = isLoopback(options.address.host)
  }

  /**
   * `sharedPort` is one that all workers listen on together, beside their own. Errors: `redis.not_loopback`,
   * `network.address_in_use`, `network.address_refused`; none is open then.
   */
  async open(sharedPort?: number): Promise<void> {
    const { address, network, tls } = this.#options
    if (!this.#isOnlyLocal && this.#isProtected) throw redisErrors.not_loopback({ host: address.host })
    try {
      if (tls?.isOnly !== true) this.address = await this.#listen(network, address)
      if (sharedPort !== undefined && tls?.isOnly !== true) {
        this.sharedAddress = await this.#listen(network, { host: address.host, port: sharedPort }, true)
      }
      if (tls !== undefined) {
        this.tlsAddress = await this.#listen(
          tls.network,
          { host: address.host, port: tls.port },
          sharedPort !== undefined,
        )
        if (tls.isOnly) this.address = this.tlsAddress
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners.splice(0)) await listener.close()
  }

  get #isProtected(): boolean {
    return this.#options.limits.protectedMode && this.#options.access.isOpenToAll
  }

  async #listen(network: Network, address: Address, isShared = false): Promise<Address> {
    const accept = (connection: Connection): void => this.#accept(connection)
    const listener = await network.listen(address, accept, isShared ? { isShared } : {})
    this.#listeners.push(listener)
    return listener.address
  }

  #accept(connection: Connection): void {
    const { clientCount, limits, stats, welcome } = this.#options
    stats.connectionsReceived++
    const isStrange = !this.#isOnlyLocal && !isLoopback(connection.remote.host)
    if (clientCount() >= limits.clientsMax) this.#turnAway(connection, tooManyClients)
    else if (isStrange && this.#isProtected) this.#turnAway(connection, onlyLocal)
    else welcome(connection)
  }

  #turnAway(connection: Connection, reason: Uint8Array): void {
    this.#options.stats.connectionsRejected++
    connection.onData = () => {}
    connection.onClose = () => {}
    connection.onDrain = () => {}
    connection.send(reason, 0, reason.length)
    connection.end()
  }
}

/** A name could resolve to anything, so the only one that is taken is `localhost`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

const tooManyClients = Buffer.from('-ERR max number of clients reached\r\n')
const onlyLocal = Buffer.from(
  '-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. Only this machine may connect until one is set (requirepass or ACL SETUSER default), or protected mode is switched off.\r\n',
)
