/**
 * A network in memory that misbehaves as a real one may: for tests and for the simulation of whole clusters.
 *
 * Everything happens on a SimulatedClock and is drawn from a seed: delays, and where a stream of bytes is cut into
 * pieces. On demand it cuts connections, parts hosts from one another, and lets a host vanish without a word.
 *
 * What must hold: the bytes of one direction arrive once and in order, whole up to a point, and nothing after
 * `onClose`. It is stricter with its callers than TCP: the buffer of `onData` is overwritten after the call, and bytes
 * that `send` could not take are read only when there is room, so whoever breaks the contract sees it.
 */

import { assert, Random } from '@orbitkv/base'
import type { Clock } from '../clock.ts'
import { networkErrors } from '../errors.ts'
import type { Address, Connection, Listener, Network } from '../network.ts'

export interface SimulatedNetworkOptions {
  readonly clock: Clock
  readonly seed: number
  /** One-way delay of a piece, drawn evenly between these two. Default 0.1 and 2 ms. */
  readonly delayMsMin?: number
  readonly delayMsMax?: number
  /** Bytes under way in one direction at most; beyond it `send` waits. Default 64 KiB. */
  readonly windowBytes?: number
  /** The largest piece that is delivered at once. Default 16 KiB. */
  readonly pieceBytesMax?: number
  /** How long bytes or a connect may go unanswered before the connection fails. Default 30,000 ms. */
  readonly timeoutMs?: number
}

type Settings = Required<SimulatedNetworkOptions>

/** Where connects come from that name no host. */
const outside = 'outside'

export class SimulatedNetwork implements Network {
  readonly #settings: Settings
  readonly #random: Random
  readonly #listeners = new Map<string, SimulatedListener>()
  readonly #connections = new Set<SimulatedConnection>()
  /** Pairs of hosts that do not reach each other, as `a b` in both orders. */
  readonly #parted = new Set<string>()
  #portNext = 40_000

  constructor(options: SimulatedNetworkOptions) {
    this.#settings = {
      delayMsMin: 0.1,
      delayMsMax: 2,
      windowBytes: 64 * 1024,
      pieceBytesMax: 16 * 1024,
      timeoutMs: 30_000,
      ...options,
    }
    assert(this.#settings.windowBytes > 0, 'a window holds at least a byte')
    this.#random = new Random(options.seed)
  }

  listen(address: Address, onConnection: (connection: Connection) => void): Promise<Listener> {
    return this.#listen(address, onConnection)
  }

  connect(address: Address): Promise<Connection> {
    return this.#connect(outside, address)
  }

  /** The network as seen from a named host: what it connects comes from there. */
  host(name: string): Network {
    return {
      listen: (address, onConnection) => this.#listen(address, onConnection),
      connect: (address) => this.#connect(name, address),
    }
  }

  /** Nothing passes between two hosts until `heal`; what was sent meanwhile arrives then, or times out. */
  part(a: string, b: string): void {
    this.#parted.add(`${a} ${b}`).add(`${b} ${a}`)
  }

  /** Ends every partition, or the one between two hosts. */
  heal(a?: string, b?: string): void {
    if (a === undefined || b === undefined) this.#parted.clear()
    else for (const pair of [`${a} ${b}`, `${b} ${a}`]) this.#parted.delete(pair)
    for (const connection of this.#connections) connection.carryOn()
  }

  /** Resets every connection between two hosts, or all of one host: both ends see an error, bytes under way are lost. */
  cut(a: string, b?: string): void {
    for (const connection of [...this.#connections]) {
      const { remote, local } = connection
      const touches = local.host === a && (b === undefined || remote.host === b)
      if (touches) connection.reset()
    }
  }

  /**
   * A host loses its power: its ends of connections are gone without a word. The other ends stay open, half-open,
   * until they send something and time out, or close. Its listeners are gone, too.
   */
  vanish(host: string): void {
    for (const [key, listener] of this.#listeners) if (listener.address.host === host) this.#listeners.delete(key)
    for (const connection of [...this.#connections]) if (connection.local.host === host) connection.vanish()
  }

  async #listen(address: Address, onConnection: (connection: Connection) => void): Promise<Listener> {
    const port = address.port === 0 ? this.#portNext++ : address.port
    const key = `${address.host}:${port}`
    if (this.#listeners.has(key)) throw networkErrors.address_in_use({ host: address.host, port })
    const listener = new SimulatedListener({ host: address.host, port }, onConnection, () =>
      this.#listeners.delete(key),
    )
    this.#listeners.set(key, listener)
    return listener
  }

  #connect(from: string, to: Address): Promise<Connection> {
    const { clock, timeoutMs } = this.#settings
    return new Promise((resolve, reject) => {
      clock.after(this.#delayMs() * 2, () => {
        if (this.#isParted(from, to.host)) {
          const failed = (): void => reject(networkErrors.failed({ ...to, reason: 'no answer' }))
          clock.after(timeoutMs, failed)
          return
        }
        const listener = this.#listeners.get(`${to.host}:${to.port}`)
        if (listener === undefined) {
          reject(networkErrors.refused({ ...to }))
          return
        }
        resolve(this.#join({ host: from, port: this.#portNext++ }, to, listener))
      })
    })
  }

  #join(from: Address, to: Address, listener: SimulatedListener): Connection {
    const link: Link = {
      settings: this.#settings,
      random: this.#random,
      delayMs: () => this.#delayMs(),
      isParted: () => this.#isParted(from.host, to.host),
      gone: (connection) => void this.#connections.delete(connection),
    }
    const client = new SimulatedConnection(link, from, to)
    const server = new SimulatedConnection(link, to, from)
    client.peer = server
    server.peer = client
    this.#connections.add(client).add(server)
    listener.onConnection(server)
    return client
  }

  #isParted(a: string, b: string): boolean {
    return this.#parted.has(`${a} ${b}`)
  }

  #delayMs(): number {
    const { delayMsMin, delayMsMax } = this.#settings
    return delayMsMin + ((delayMsMax - delayMsMin) * this.#random.uint32()) / 2 ** 32
  }
}

class SimulatedListener implements Listener {
  readonly address: Address
  readonly onConnection: (connection: Connection) => void
  readonly #forget: () => void

  constructor(address: Address, onConnection: (connection: Connection) => void, forget: () => void) {
    this.address = address
    this.onConnection = onConnection
    this.#forget = forget
  }

  async close(): Promise<void> {
    this.#forget()
  }
}

/** What both ends of a connection share. */
interface Link {
  readonly settings: Settings
  readonly random: Random
  readonly delayMs: () => number
  readonly isParted: () => boolean
  readonly gone: (connection: SimulatedConnection) => void
}

interface Waiting {
  readonly bytes: Uint8Array
  start: number
  readonly end: number
}

/** A piece under way, or the end of the stream (no bytes). */
interface Piece {
  readonly bytes: Uint8Array | undefined
  taken: number
  readonly dueMs: number
}

class SimulatedConnection implements Connection {
  onData: (bytes: Uint8Array, start: number, end: number) => void = () => {}
  onClose: (error?: Error) => void = () => {}
  onDrain: () => void = () => {}
  pendingBytes = 0
  /** The other end; absent once it has vanished. */
  peer: SimulatedConnection | undefined

  readonly local: Address
  readonly remote: Address
  readonly #link: Link
  /** Sent by our peer, not delivered here yet, in order. */
  readonly #arriving: Piece[] = []
  #arrivingBytes = 0
  /** Accepted by `send`, no room on the way yet. */
  readonly #waiting: Waiting[] = []
  readonly #delivered: Uint8Array
  #lastDueMs = 0
  #isPaused = false
  #isEnding = false
  #isClosed = false
  #hasTimer = false

  constructor(link: Link, local: Address, remote: Address) {
    this.#link = link
    this.local = local
    this.remote = remote
    this.#delivered = new Uint8Array(link.settings.pieceBytesMax)
  }

  send(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#isClosed || this.#isEnding || end === start) return true
    this.#waiting.push({ bytes, start, end })
    this.pendingBytes += end - start
    this.#giveToNetwork()
    return this.pendingBytes === 0
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#schedule()
  }

  end(): void {
    if (this.#isClosed || this.#isEnding) return
    this.#isEnding = true
    if (this.pendingBytes === 0) this.#finish()
  }

  destroy(): void {
    if (this.#isClosed) return
    // What the system has taken still arrives, as with close(2); what waits is lost.
    this.#finish()
  }

  /** Both ends fail, bytes under way are lost. */
  reset(): void {
    const peer = this.peer
    if (this.#isClosed) return
    this.#close(networkErrors.failed({ ...this.remote, reason: 'connection reset' }))
    peer?.reset()
  }

  /** This end is gone; the other does not learn of it. */
  vanish(): void {
    if (this.peer !== undefined) this.peer.peer = undefined
    this.#isClosed = true
    this.#link.gone(this)
  }

  /** After a partition was healed. */
  carryOn(): void {
    this.#schedule()
  }

  /** Sends the end of the stream after what was sent before, and closes this end. */
  #finish(): void {
    this.peer?.arrive(undefined)
    this.#link.settings.clock.after(0, () => this.#close())
    // Nothing is delivered here any more.
    this.#isPaused = true
    this.#isEnding = true
    this.#waiting.length = 0
    this.pendingBytes = 0
  }

  #close(error?: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#waiting.length = 0
    this.#arriving.length = 0
    this.pendingBytes = 0
    this.#link.gone(this)
    this.onClose(error)
  }

  /** Copies what waits into pieces as far as the window allows. */
  #giveToNetwork(): void {
    const { settings, random } = this.#link
    const peer = this.peer
    if (peer === undefined || peer.#isClosed) {
      this.#armTimeout()
      return
    }
    for (;;) {
      const first = this.#waiting[0]
      const room = settings.windowBytes - peer.#arrivingBytes
      if (first === undefined || room <= 0) break
      const most = Math.min(first.end - first.start, room, settings.pieceBytesMax)
      // Often a whole piece, else cut at any byte.
      const pieceBytes = random.chance(2) ? most : random.between(1, most)
      // Not `slice`, which for a Buffer is no copy.
      peer.arrive(new Uint8Array(first.bytes.subarray(first.start, first.start + pieceBytes)))
      first.start += pieceBytes
      this.pendingBytes -= pieceBytes
      if (first.start === first.end) this.#waiting.shift()
    }
    if (this.#link.isParted()) this.#armTimeout()
  }

  /** A piece sent by the peer sets out. */
  arrive(bytes: Uint8Array | undefined): void {
    if (this.#isClosed) return
    const { settings, delayMs } = this.#link
    // In order: never due before the piece ahead of it.
    this.#lastDueMs = Math.max(this.#lastDueMs, settings.clock.monotonic() + delayMs())
    this.#arriving.push({ bytes, taken: 0, dueMs: this.#lastDueMs })
    this.#arrivingBytes += bytes?.length ?? 0
    this.#schedule()
  }

  /** Arms the timer of the next piece, unless it cannot be delivered now. */
  #schedule(): void {
    const first = this.#arriving[0]
    if (first === undefined || this.#hasTimer || this.#isClosed || this.#link.isParted()) return
    // A paused reader does not learn of the end either: bytes come first.
    if (this.#isPaused) return
    const { clock } = this.#link.settings
    this.#hasTimer = true
    clock.after(Math.max(0, first.dueMs - clock.monotonic()), () => {
      this.#hasTimer = false
      this.#deliver()
    })
  }

  #deliver(): void {
    if (this.#isClosed || this.#isPaused || this.#link.isParted()) return
    const first = this.#arriving.shift()
    if (first === undefined) return
    if (first.bytes === undefined) {
      this.#close()
      return
    }
    this.#arrivingBytes -= first.bytes.length
    this.#delivered.set(first.bytes)
    this.onData(this.#delivered, 0, first.bytes.length)
    this.#delivered.fill(0xdd)
    this.#schedule()
    this.peer?.refill()
  }

  /** There is room on the way again. */
  refill(): void {
    if (this.#isClosed || this.pendingBytes === 0) return
    this.#giveToNetwork()
    if (this.pendingBytes > 0) return
    if (this.#isEnding) this.#finish()
    else this.onDrain()
  }

  /** Bytes that nobody acknowledges end the connection after a while. */
  #armTimeout(): void {
    const { clock, timeoutMs } = this.#link.settings
    clock.after(timeoutMs, () => {
      const isUnreachable = this.peer === undefined || this.#link.isParted()
      if (isUnreachable) this.#close(networkErrors.failed({ ...this.remote, reason: 'no answer' }))
    })
  }
}
