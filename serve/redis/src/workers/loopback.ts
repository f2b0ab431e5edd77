/**
 * A connection within one thread: what one end sends, the other receives at once.
 *
 * What must hold: `send` takes everything at once, so neither end ever waits; what may be sent is bounded by who uses it (lane.ts).
 */

import type { Address, Connection } from '@orbitkv/runtime'

const nowhere: Address = { host: 'worker', port: 0 }

class End implements Connection {
  onData: (bytes: Uint8Array, start: number, end: number) => void = () => {}
  onClose: (error?: Error) => void = () => {}
  onDrain: () => void = () => {}
  readonly remote = nowhere
  readonly local = nowhere
  readonly pendingBytes = 0
  other: End | undefined

  send(bytes: Uint8Array, start: number, end: number): boolean {
    this.other?.onData(bytes, start, end)
    return true
  }

  pause(): void {}

  resume(): void {}

  end(): void {
    const { other } = this
    if (other === undefined) return
    this.other = undefined
    other.other = undefined
    other.onClose()
    this.onClose()
  }

  destroy(): void {
    this.end()
  }
}

/** Two ends of one connection. */
export function loopback(): [Connection, Connection] {
  const one = new End()
  const other = new End()
  one.other = other
  other.other = one
  return [one, other]
}
