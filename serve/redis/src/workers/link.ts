/**
 * The way between two workers: many connections over one ring in each direction.
 *
 *   a message: u32 connection | u32 kind (1 open, 2 data, 3 closed) | u32 bytes | bytes; of `open` the bytes are the u32 shard
 *
 * Who writes rings the other's doorbell once for all it writes until the other looks, so a turn's commands cost one call.
 *
 * What must hold: a message is in the ring whole or not at all. What finds no room waits at its connection, in order; it is
 * bounded by what lanes and clients may have waiting. A connection is never paused: the one side takes no more commands for
 * a lane than lane.ts says, and the other reads replies at once.
 */

import { assert } from '@orbitkv/base'
import type { Address, Connection } from '@orbitkv/runtime'
import { type RingMemory, RingReader, RingWriter } from './ring.ts'

/** Calls another thread, and is called by it. */
export interface Doorbell {
  ring(): void
  onRing: () => void
}

export interface LinkOptions {
  readonly incoming: RingMemory
  readonly outgoing: RingMemory
  readonly doorbell: Doorbell
  /** One side says true, so that the numbers of their connections are apart. */
  readonly isFirst: boolean
  /** The other side opens a connection to a shard of this side. */
  readonly onConnection: (shard: number, connection: Connection) => void
  /** Runs `run` soon, with other work between. */
  readonly later: (run: () => void) => void
}

const openKind = 1
const dataKind = 2
const closedKind = 3
const headerBytes = 12
const nowhere: Address = { host: 'worker', port: 0 }

export class Link {
  readonly #writer: RingWriter
  readonly #reader: RingReader
  readonly #options: LinkOptions
  readonly #connections = new Map<number, LinkConnection>()
  readonly #waiting = new Set<LinkConnection>()
  readonly #header = new Uint8Array(headerBytes)
  readonly #headerView = new DataView(this.#header.buffer)
  readonly #incomingHeader = new Uint8Array(headerBytes)
  readonly #incomingView = new DataView(this.#incomingHeader.buffer)
  readonly #payload: Uint8Array
  readonly #payloadBytesMax: number
  #nextId: number

  constructor(options: LinkOptions) {
    this.#options = options
    this.#writer = new RingWriter(options.outgoing)
    this.#reader = new RingReader(options.incoming)
    // A quarter: several connections find room side by side, and a long value is copied on while the rest is written.
    this.#payloadBytesMax = (this.#writer.capacityBytes >> 2) - headerBytes
    this.#payload = new Uint8Array(this.#payloadBytesMax)
    this.#nextId = options.isFirst ? 2 : 3
    options.doorbell.onRing = () => this.#rung()
  }

  /** Opens a connection to a shard of the other side. */
  connect(shard: number): Connection {
    const connection = this.#add(this.#nextId)
    this.#nextId += 2
    connection.open(shard)
    return connection
  }

  /** Writes a message, or of data as much as there is room for; returns where it stopped, -1 if there is no room at all. */
  write(id: number, kind: number, bytes: Uint8Array, start: number, end: number): number {
    let at = start
    do {
      const room = Math.min(this.#payloadBytesMax, this.#writer.freeBytes - headerBytes)
      const part = Math.min(end - at, room)
      const isWhole = part === end - at
      if (part < 0 || (!isWhole && (kind !== dataKind || part === 0))) break
      this.#headerView.setUint32(0, id, true)
      this.#headerView.setUint32(4, kind, true)
      this.#headerView.setUint32(8, part, true)
      this.#writer.write(this.#header, 0, headerBytes)
      this.#writer.write(bytes, at, at + part)
      at += part
      if (isWhole) {
        this.#publish()
        return end
      }
    } while (at < end)
    if (at > start) this.#publish()
    return at > start ? at : -1
  }

  /** The connection has more to write than there was room for. */
  wait(connection: LinkConnection, bytes: number): void {
    this.#waiting.add(connection)
    const needed = headerBytes + Math.min(bytes, this.#payloadBytesMax)
    if (!this.#writer.awaitRoom(needed)) this.#options.later(() => this.#writeMore())
  }

  forget(id: number, connection: LinkConnection): void {
    this.#connections.delete(id)
    this.#waiting.delete(connection)
  }

  #add(id: number): LinkConnection {
    const connection = new LinkConnection(id, this)
    this.#connections.set(id, connection)
    return connection
  }

  #publish(): void {
    if (this.#writer.publish()) this.#options.doorbell.ring()
  }

  #rung(): void {
    this.#read()
    this.#writeMore()
  }

  #writeMore(): void {
    for (const connection of [...this.#waiting]) {
      this.#waiting.delete(connection)
      connection.goOn()
      // The ring is full again: it is somebody else's turn once there is room.
      if (this.#waiting.has(connection)) return
    }
  }

  /** Hands out what lies in the ring now; what comes meanwhile has its turn later, so that the loop is never held. */
  #read(): void {
    const reader = this.#reader
    reader.answer()
    let left = reader.availableBytes
    while (left > 0) {
      reader.read(this.#incomingHeader, 0, headerBytes)
      const id = this.#incomingView.getUint32(0, true)
      const kind = this.#incomingView.getUint32(4, true)
      const bytes = this.#incomingView.getUint32(8, true)
      reader.read(this.#payload, 0, bytes)
      left -= headerBytes + bytes
      assert(left >= 0, 'a message lies in the ring whole')
      if (reader.release()) this.#options.doorbell.ring()
      this.#take(id, kind, bytes)
    }
  }

  #take(id: number, kind: number, bytes: number): void {
    if (kind === openKind) {
      const shard = new DataView(this.#payload.buffer).getUint32(0, true)
      this.#options.onConnection(shard, this.#add(id))
      return
    }
    // Undefined where this side has closed it meanwhile.
    const connection = this.#connections.get(id)
    if (kind === dataKind) connection?.onData(this.#payload, 0, bytes)
    else {
      assert(kind === closedKind, 'a message has a kind')
      connection?.closedThere()
    }
  }
}

interface Message {
  readonly kind: number
  readonly bytes: Uint8Array
  /** What is before it is written. */
  start: number
  readonly end: number
}

class LinkConnection implements Connection {
  onData: (bytes: Uint8Array, start: number, end: number) => void = () => {}
  onClose: (error?: Error) => void = () => {}
  onDrain: () => void = () => {}
  readonly remote = nowhere
  readonly local = nowhere
  pendingBytes = 0
  readonly #id: number
  readonly #link: Link
  /** What found no room yet, in order; `send` is not called again before it is out, so there is at most one with data. */
  readonly #rest: Message[] = []
  #isClosed = false

  constructor(id: number, link: Link) {
    this.#id = id
    this.#link = link
  }

  open(shard: number): void {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, shard, true)
    this.#write(openKind, bytes, 0, bytes.length)
  }

  send(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#isClosed) return true
    return this.#write(dataKind, bytes, start, end)
  }

  /** There may be room again. */
  goOn(): void {
    while (this.#rest.length > 0) {
      const first = this.#rest[0] as Message
      if (!this.#put(first)) return
      this.#rest.shift()
    }
    if (this.#isClosed) this.#end()
    else this.onDrain()
  }

  pause(): void {}

  resume(): void {}

  end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#write(closedKind, noBytes, 0, 0)
    if (this.#rest.length === 0) this.#end()
  }

  destroy(): void {
    this.end()
  }

  closedThere(): void {
    this.#isClosed = true
    this.#end()
  }

  #end(): void {
    this.#link.forget(this.#id, this)
    const closed = this.onClose
    this.onClose = () => {}
    closed()
  }

  #write(kind: number, bytes: Uint8Array, start: number, end: number): boolean {
    const message = { kind, bytes, start, end }
    if (this.#rest.length === 0 && this.#put(message)) return true
    this.#rest.push(message)
    this.pendingBytes += message.end - message.start
    return false
  }

  /** Writes a message, or as much of it as there is room for. */
  #put(message: Message): boolean {
    const { kind, bytes, start, end } = message
    const stopped = this.#link.write(this.#id, kind, bytes, start, end)
    if (stopped >= 0) {
      message.start = stopped
      if (this.#rest[0] === message) this.pendingBytes -= stopped - start
      if (stopped === end) return true
    }
    this.#link.wait(this, end - message.start)
    return false
  }
}

const noBytes = new Uint8Array(0)
