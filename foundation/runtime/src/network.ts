/**
 * The network door: byte streams between addresses.
 *
 * Implementations: `realNetwork` (real-network.ts) over TCP and `SimulatedNetwork` (simulated/network.ts), which delays,
 * cuts and partitions. Received bytes lie in a buffer that is reused: they are valid only inside `onData`.
 */

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Network {
  /** Resolves once it listens. Port 0 takes a free one; `address` tells which. */
  listen(address: Address, onConnection: (connection: Connection) => void, options?: ListenOptions): Promise<Listener>
  connect(address: Address): Promise<Connection>
}

export interface ListenOptions {
  /** Several listeners of this process have the address together, and each gets a part of the connections. */
  readonly isShared?: boolean
}

export interface Listener {
  readonly address: Address
  /** Stops accepting; connections that are open stay open. */
  close(): Promise<void>
}

export interface Connection {
  readonly remote: Address
  readonly local: Address
  /** Set by the owner at once, before the first await. `bytes[start, end)` is valid only during the call. */
  onData: (bytes: Uint8Array, start: number, end: number) => void
  /** The stream has ended, by either side or by an error. Called once. */
  onClose: (error?: Error) => void
  /** Called when `pendingBytes` has fallen to 0 after a send could not go out whole. */
  onDrain: () => void
  /**
   * Sends `bytes[start, end)`. The bytes must stay unchanged until they are out: true means that they are out already
   * (or copied) and the buffer may be reused now; false that they wait, until `onDrain`.
   */
  send(bytes: Uint8Array, start: number, end: number): boolean
  /** Bytes accepted by `send` that the system has not taken yet. */
  readonly pendingBytes: number
  /** Stops and resumes `onData`, for a peer that sends faster than it is served. */
  pause(): void
  resume(): void
  /** Sends what waits, then ends the stream. */
  end(): void
  /** Ends the stream at once. */
  destroy(): void
}
