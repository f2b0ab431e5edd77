/**
 * The network door over TLS: the same byte streams, encrypted, with certificates on one side or both.
 *
 * What must hold: no byte of a connection is handed out before its handshake is whole and its certificate, where one is
 * asked for or shown, is good. New keys and certificates (`use`) hold for connections accepted from then on; those that are
 * open stay open. Handshakes under way are bounded in number and time, since nobody has been told of them yet.
 *
 * Documented API only: a net.Server accepts, and hands each socket to a tls.Server that listens nowhere, which is
 * replaced when the certificates are.
 */

import net from 'node:net'
import tls from 'node:tls'
import { networkErrors } from './errors.ts'
import type { Address, Connection, Listener, Network } from './network.ts'
import { backlogConnections, closeServer, keepAliveDelayMs, listenError, PublicConnection } from './real-network.ts'

/** Whether clients show a certificate: `optional` takes none, but no bad one. */
export type ClientCertificates = 'none' | 'optional' | 'required'

export interface TlsOptions {
  /** In PEM, with those that it depends on. */
  readonly certificate: string
  /** In PEM. */
  readonly key: string
  /** In PEM: who may have signed the certificate of the other side; the system's own list if absent. */
  readonly authorities?: string
  readonly clients: ClientCertificates
}

export interface TlsNetwork extends Network {
  /** Takes other keys and certificates from now on. Error: `network.tls_unusable`; those before stay in use then. */
  use(options: TlsOptions): void
}

/** Told of handshakes that failed; the reason names no key. */
export type HandshakeFailed = (remote: Address, reason: string) => void

const handshakeMsMax = 10_000
const handshakesMax = 1024

/** Error: `network.tls_unusable`. */
export function createTlsNetwork(options: TlsOptions, onFailure: HandshakeFailed = () => {}): TlsNetwork {
  let used = checked(options)
  const listeners = new Set<TlsListener>()
  return {
    use(next) {
      used = checked(next)
      for (const listener of listeners) listener.use(used)
    },
    async listen(address, onConnection, listenOptions = {}) {
      const listener = new TlsListener(onConnection, onFailure)
      listener.use(used)
      await listener.listen(address, listenOptions.isShared === true)
      listeners.add(listener)
      return {
        address: listener.address,
        close: () => {
          listeners.delete(listener)
          return listener.close()
        },
      }
    },
    connect: (address) => connect(address, used),
  }
}

/** Throws where a key does not go with its certificate, or is none. */
function checked(options: TlsOptions): TlsOptions {
  try {
    tls.createSecureContext(contextOf(options))
  } catch (error) {
    throw networkErrors.tls_unusable({ reason: reasonOf(error) }, error)
  }
  return options
}

function contextOf({ certificate, key, authorities }: TlsOptions): tls.SecureContextOptions {
  return { cert: certificate, key, minVersion: 'TLSv1.2', ...(authorities === undefined ? {} : { ca: authorities }) }
}

class TlsListener implements Listener {
  address: Address = { host: '', port: 0 }
  readonly #onConnection: (connection: Connection) => void
  readonly #onFailure: HandshakeFailed
  readonly #server: net.Server
  /** Sockets whose handshake is under way, by the address of their peer. */
  readonly #handshakes = new Map<string, net.Socket>()
  #tls: tls.Server | undefined

  constructor(onConnection: (connection: Connection) => void, onFailure: HandshakeFailed) {
    this.#onConnection = onConnection
    this.#onFailure = onFailure
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs }
    this.#server = net.createServer(options, (socket) => this.#accept(socket))
  }

  use(options: TlsOptions): void {
    const { clients } = options
    const server = tls.createServer({
      ...contextOf(options),
      handshakeTimeout: handshakeMsMax,
      requestCert: clients !== 'none',
      rejectUnauthorized: clients === 'required',
    })
    server.on('secureConnection', (socket) => this.#secured(socket, clients))
    server.on('tlsClientError', (error, socket) => {
      this.#onFailure(remoteOf(socket), reasonOf(error))
      socket.destroy()
    })
    this.#tls = server
  }

  listen(address: Address, isShared: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, address)))
      const { host, port } = address
      this.#server.listen({ host, port, backlog: backlogConnections, reusePort: isShared }, () => {
        this.#server.removeAllListeners('error')
        this.#server.on('error', (error) => process.emitWarning(`a connection was not accepted: ${error.message}`))
        const bound = this.#server.address() as net.AddressInfo
        this.address = { host: bound.address, port: bound.port }
        resolve()
      })
    })
  }

  close(): Promise<void> {
    for (const socket of this.#handshakes.values()) socket.destroy()
    return new Promise((closed) => closeServer(this.#server, closed))
  }

  #accept(socket: net.Socket): void {
    if (this.#handshakes.size >= handshakesMax) {
      this.#onFailure(remoteOf(socket), 'too many handshakes are under way')
      socket.destroy()
      return
    }
    const name = nameOf(socket)
    this.#handshakes.set(name, socket)
    socket.once('close', () => this.#forget(name, socket))
    // Until the TLS side listens for errors itself.
    socket.on('error', (error) => this.#onFailure(remoteOf(socket), reasonOf(error)))
    this.#tls?.emit('connection', socket)
  }

  #forget(name: string, socket: net.Socket): void {
    if (this.#handshakes.get(name) === socket) this.#handshakes.delete(name)
  }

  #secured(socket: tls.TLSSocket, clients: ClientCertificates): void {
    this.#handshakes.delete(nameOf(socket))
    const hasShownOne = Object.keys(socket.getPeerCertificate()).length > 0
    if (clients === 'optional' && hasShownOne && !socket.authorized) {
      this.#onFailure(remoteOf(socket), reasonOf(socket.authorizationError))
      socket.destroy()
    } else this.#onConnection(new PublicConnection(socket))
  }
}

function connect({ host, port }: Address, options: TlsOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ ...contextOf(options), host, port })
    const failed = (error: NodeJS.ErrnoException): void => {
      const details = { host, port, reason: error.code ?? error.message }
      const isRefused = error.code === 'ECONNREFUSED'
      reject(isRefused ? networkErrors.refused(details, error) : networkErrors.failed(details, error))
    }
    socket.once('error', failed)
    socket.once('secureConnect', () => {
      socket.off('error', failed)
      socket.setNoDelay(true)
      socket.setKeepAlive(true, keepAliveDelayMs)
      resolve(new PublicConnection(socket))
    })
  })
}

function remoteOf(socket: net.Socket): Address {
  return { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
}

function nameOf(socket: net.Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return (error as NodeJS.ErrnoException).code ?? error.message
}
