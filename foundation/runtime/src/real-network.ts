/**
 * The network door over TCP.
 *
 * What must hold: `onData` is called with bytes that are reused afterwards; `onClose` is called once for every
 * connection that was handed out, whoever ended it; nothing is delivered after it.
 *
 * A server's speed is mostly decided here, so there are two paths with the same contract, both in the suite:
 * - `tuned`: all sockets read into one buffer and write the caller's bytes without a copy. The reads use the documented
 *   `onread` option of net.Socket, but sockets made by a net.Server can have it only by taking over the accepted
 *   handle (`server._handle.onconnection`, the `handle` option), which Node does not document.
 * - `public`: 'data' events and copied writes, documented API only.
 * `automatic`, the default, tries the tuned path on a loopback socket at the first `listen` of the process and takes the
 * public one if anything about it is not as expected. Figures: docs/decisions/network-path.md.
 */

import net from 'node:net'
import { networkErrors } from './errors.ts'
import type { Address, Connection, Listener, Network } from './network.ts'

export type NetworkPath = 'automatic' | 'tuned' | 'public'

export interface RealNetworkOptions {
  readonly path?: NetworkPath
}

/** One read takes at most this much; all sockets of a process share the buffer. */
const readBytesMax = 64 * 1024
/** Connections that wait to be accepted, as far as the system allows; what Redis asks for, too. */
export const backlogConnections = 511
/** A peer that is silent for this long is asked whether it is still there. */
export const keepAliveDelayMs = 300_000
/** After `end`, how long we wait for the peer to close, too, so that it does not lose our last bytes to a reset. */
const lingerMs = 1000

// A plain Uint8Array, as everywhere above this door: the slice of a Buffer would not be a copy.
const readBuffer = new Uint8Array(readBytesMax)
const noBytes = Buffer.alloc(0)

export function createRealNetwork(options: RealNetworkOptions = {}): Network {
  const path = options.path ?? 'automatic'
  return {
    async listen(address, onConnection, listenOptions = {}) {
      const isTuned = path === 'tuned' || (path === 'automatic' && (await tunedPathWorks()))
      return listen(address, isTuned, onConnection, listenOptions.isShared === true)
    },
    connect: (address) => connect(address, path !== 'public'),
  }
}

/** The network of a process that has no wish of its own. */
export const realNetwork: Network = createRealNetwork()

function listen(
  address: Address,
  isTuned: boolean,
  onConnection: (connection: Connection) => void,
  isShared: boolean,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs })
    server.on('error', (error) => reject(listenError(error, address)))
    const { host, port } = address
    server.listen({ host, port, backlog: backlogConnections, reusePort: isShared }, () => {
      server.removeAllListeners('error')
      // Out of descriptors: the system turns the client away, those that are open go on.
      server.on('error', (error) => process.emitWarning(`a connection was not accepted: ${error.message}`))
      if (!isTuned || !adoptHandles(server, onConnection)) {
        server.on('connection', (socket) => onConnection(new PublicConnection(socket)))
      }
      const bound = server.address() as net.AddressInfo
      resolve({
        address: { host: bound.address, port: bound.port },
        close: () => new Promise((closed) => closeServer(server, closed)),
      })
    })
  })
}

/** Resolves when it no longer listens; a net.Server itself would wait for its open connections. */
export function closeServer(server: net.Server, closed: () => void): void {
  server.close()
  setImmediate(closed)
}

function connect(address: Address, isTuned: boolean): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const target = { host: address.host, port: address.port, noDelay: true }
    let connection: SocketConnection | undefined
    const socket = isTuned
      ? net.connect({ ...target, onread: { buffer: readBuffer, callback: (length) => deliver(connection, length) } })
      : net.connect(target)
    const failed = (error: NodeJS.ErrnoException): void => {
      const details = { host: address.host, port: address.port, reason: error.code ?? error.message }
      reject(
        error.code === 'ECONNREFUSED' ? networkErrors.refused(details, error) : networkErrors.failed(details, error),
      )
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      socket.off('error', failed)
      socket.setKeepAlive(true, keepAliveDelayMs)
      connection = isTuned ? new TunedConnection(socket) : new PublicConnection(socket)
      resolve(connection)
    })
  })
}

/** What both paths share: the life of a connection. */
abstract class SocketConnection implements Connection {
  onData: (bytes: Uint8Array, start: number, end: number) => void = () => {}
  onClose: (error?: Error) => void = () => {}
  onDrain: () => void = () => {}
  readonly remote: Address
  readonly local: Address
  protected readonly socket: net.Socket
  #error: Error | undefined
  #hasEnded = false

  constructor(socket: net.Socket) {
    this.socket = socket
    this.remote = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    this.local = { host: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    socket.on('error', (error) => {
      this.#error = error
    })
    // The peer has closed, or closed its half: a stream with one half is of no use to our protocols.
    socket.on('end', () => socket.destroy())
    socket.on('close', () => this.#closed())
  }

  get pendingBytes(): number {
    return this.socket.writableLength
  }

  abstract send(bytes: Uint8Array, start: number, end: number): boolean

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    if (!this.#hasEnded) this.socket.resume()
  }

  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.onData = () => {}
    this.socket.end()
    // Reads on, so that the peer's end is seen; unread bytes would turn our close into a reset.
    this.socket.resume()
    this.socket.once('finish', () => {
      const timer = setTimeout(() => this.socket.destroy(), lingerMs)
      timer.unref()
      this.socket.once('close', () => clearTimeout(timer))
    })
  }

  destroy(): void {
    this.onData = () => {}
    this.socket.destroy()
  }

  #closed(): void {
    const error = this.#error as NodeJS.ErrnoException | undefined
    if (error === undefined) this.onClose()
    else this.onClose(networkErrors.failed({ ...this.remote, reason: error.code ?? error.message }, error))
  }
}

/** Documented API only; of a plain socket or an encrypted one. */
export class PublicConnection extends SocketConnection {
  #isWaiting = false
  /** Asked after each write: 'drain' would come for large ones only. */
  readonly #written = (): void => {
    if (!this.#isWaiting || this.socket.destroyed || this.socket.writableLength > 0) return
    this.#isWaiting = false
    this.onDrain()
  }

  constructor(socket: net.Socket) {
    super(socket)
    socket.on('data', ({ buffer, byteOffset, length }: Buffer) => {
      this.onData(new Uint8Array(buffer, byteOffset, length), 0, length)
    })
  }

  /** Copies, so that it never holds the caller's bytes. */
  send(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.socket.writable) return true
    this.socket.write(Buffer.from(bytes.subarray(start, end)), this.#written)
    if (this.socket.writableLength > 0) this.#isWaiting = true
    return true
  }
}

/** Reads into the shared buffer, writes without a copy. */
class TunedConnection extends SocketConnection {
  #isWaiting = false

  send(bytes: Uint8Array, start: number, end: number): boolean {
    const { socket } = this
    if (!socket.writable) return true
    socket.write(Buffer.prototype.subarray.call(bytes, start, end))
    // Zero at once when the system took all of it: then nothing refers to the bytes any more.
    if (socket.writableLength === 0) return true
    if (!this.#isWaiting) this.#await()
    return false
  }

  /** An empty write behind those that wait tells when they are out: 'drain' would come for large ones only. */
  #await(): void {
    this.#isWaiting = true
    this.socket.write(noBytes, () => {
      this.#isWaiting = false
      if (this.socket.destroyed) return
      if (this.socket.writableLength > 0) this.#await()
      else this.onDrain()
    })
  }
}

/** What we rely on of an accepted connection that Node does not document. */
interface AcceptedHandle {
  setNoDelay(enable: boolean): void
}

interface ListeningHandle {
  onconnection: (status: number, accepted?: AcceptedHandle) => void
}

/** The listening handle, if it is as we know it; in a worker of node:cluster, say, it is another. */
function listeningHandle(server: net.Server): ListeningHandle | undefined {
  const handle = (server as unknown as { _handle?: Partial<ListeningHandle> })._handle
  return typeof handle?.onconnection === 'function' ? (handle as ListeningHandle) : undefined
}

/** Takes accepted handles before the server makes sockets of them; false if it does not work that way. */
function adoptHandles(server: net.Server, onConnection: (connection: Connection) => void): boolean {
  const listening = listeningHandle(server)
  if (listening === undefined) return false
  listening.onconnection = (status, accepted) => {
    if (status !== 0 || accepted === undefined) {
      server.emit('error', new Error(`accept failed with system error ${status}`))
      return
    }
    accepted.setNoDelay(true)
    let connection: TunedConnection | undefined
    const onread = { buffer: readBuffer, callback: (length: number) => deliver(connection, length) }
    const options: Omit<net.SocketConstructorOpts, 'handle'> & { handle: unknown } = { handle: accepted, onread }
    const socket = new net.Socket(options as net.SocketConstructorOpts)
    socket.setKeepAlive(true, keepAliveDelayMs)
    connection = new TunedConnection(socket)
    onConnection(connection)
  }
  return true
}

/** `true` goes on reading. */
function deliver(connection: SocketConnection | undefined, length: number): boolean {
  connection?.onData(readBuffer, 0, length)
  return true
}

let tunedPath: Promise<boolean> | undefined

/** Whether the tuned path does what we expect of it here: asked of a loopback connection, once for the process. */
export function tunedPathWorks(): Promise<boolean> {
  tunedPath ??= tryTunedPath()
  return tunedPath
}

const probeText = 'orbit'
const probeTimeoutMs = 2000

/** Sends a text over a tuned connection to itself and back; every failure has one meaning: take the public path. */
function tryTunedPath(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer()
    const client = new net.Socket()
    const timer = setTimeout(() => finish(false), probeTimeoutMs)
    const finish = (works: boolean): void => {
      clearTimeout(timer)
      client.destroy()
      server.close()
      resolve(works)
    }
    server.on('error', () => finish(false))
    server.on('connection', () => finish(false))
    client.on('error', () => finish(false))
    let received = ''
    client.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1')
      if (received.length >= probeText.length) finish(received === probeText)
    })
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const isAdopted = adoptHandles(server, (connection) => {
        connection.onData = (bytes, start, end) => void connection.send(bytes, start, end)
        connection.onClose = () => {}
      })
      if (!isAdopted) finish(false)
      else client.connect((server.address() as net.AddressInfo).port, '127.0.0.1', () => client.write(probeText))
    })
  })
}

export function listenError(error: NodeJS.ErrnoException, { host, port }: Address): Error {
  if (error.code === 'EADDRINUSE') return networkErrors.address_in_use({ host, port }, error)
  return networkErrors.address_refused({ host, port, reason: error.code ?? error.message }, error)
}
