/**
 * A small client of the Redis protocol (RESP2): commands go out in order, replies come back in the same order.
 *
 * For the command line only. One reply is held in memory at a time, at most `replyBytesMax`; how many commands are on
 * the way is the caller's choice. A server that says nothing for `silenceMs` while replies are due is given up.
 */

import { connect, isIP, type Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { MiB, OrbitError, second } from '@orbitkv/base'
import type { Clock, Timer } from '@orbitkv/runtime'
import { cliErrors } from '../errors.ts'

/** The variable with the password for the server of --url. */
export const passwordVariable = 'ORBIT_REDIS_PASSWORD'
const connectMs = 5 * second
const silenceMs = 30 * second
const replyBytesMax = 256 * MiB
const lineFeed = 0x0a

export type Reply = string | number | Uint8Array | null | readonly Reply[] | ServerError

/** An error reply, as a value: what it means is the caller's to say. */
export class ServerError {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Argument = string | Uint8Array

interface Waiting {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

export interface DialAddress {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly isSecure: boolean
}

export class RespClient {
  readonly url: string
  /** Takes the messages of channels; undefined where nobody subscribes. */
  onMessage: ((message: readonly Reply[]) => void) | undefined
  /** Told once, when the connection is lost. */
  onLost: ((error: Error) => void) | undefined
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #waiting: Waiting[] = []
  readonly #replies = new ReplyParser()
  #silence: Timer | undefined
  #failure: Error | undefined

  private constructor(url: string, socket: Socket, clock: Clock) {
    this.url = url
    this.#socket = socket
    this.#clock = clock
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#receive(bytes))
    socket.on('error', (error) => this.#fail(cliErrors.server_left({ url, reason: reasonOf(error) }, error)))
    socket.on('close', () => this.#fail(cliErrors.server_left({ url, reason: 'the stream ended' })))
  }

  /** Connects to `redis://HOST:PORT` and its kin, and logs in where there is a password. Errors: `cli.bad_url`, `cli.no_server`, `cli.server_error`. */
  static async connect(url: string, clock: Clock, password?: string): Promise<RespClient> {
    const { user, ...address } = parseUrl(url)
    if (user !== '' && password === undefined) {
      throw cliErrors.bad_url({ url, fault: `the password of ${user} is missing: it goes into ${passwordVariable}` })
    }
    const client = await RespClient.dial({ url, ...address }, clock)
    if (password === undefined) return client
    try {
      const answer = await client.send(user === '' ? ['AUTH', password] : ['AUTH', user, password])
      if (answer instanceof ServerError) throw cliErrors.server_error({ url, answer: answer.text })
      return client
    } catch (error) {
      await client.close()
      throw error
    }
  }

  /** Connects to an address that the caller took apart; `url` names it in messages. Errors: `cli.no_server`. */
  static dial({ url, host, port, isSecure }: DialAddress, clock: Clock): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      // A server name is for certificates, which addresses do not have.
      const names = isIP(host) === 0 ? { servername: host } : {}
      const socket = isSecure ? connectSecure({ host, port, ...names }) : connect({ host, port })
      const timer = clock.after(connectMs, () =>
        socket.destroy(new Error(`no connection within ${connectMs / second} s`)),
      )
      const refuse = (error: Error) => {
        timer.cancel()
        reject(cliErrors.no_server({ url, reason: reasonOf(error) }, error))
      }
      socket.once('error', refuse)
      socket.once(isSecure ? 'secureConnect' : 'connect', () => {
        timer.cancel()
        socket.removeListener('error', refuse)
        resolve(new RespClient(url, socket, clock))
      })
    })
  }

  /** The reply, whatever it is. */
  send(args: readonly Argument[]): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#watchSilence()
      this.#write(encodeCommand(args))
    })
  }

  /** What is sent within a turn goes out together: a system call for each command would cost more than the command. */
  #write(bytes: Uint8Array): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork()
      setImmediate(() => this.#socket.uncork())
    }
    this.#socket.write(bytes)
  }

  async close(): Promise<void> {
    this.#silence?.cancel()
    this.#failure ??= cliErrors.server_left({ url: this.url, reason: 'closed by us' })
    if (this.#socket.destroyed) return
    await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()).destroy())
  }

  #receive(bytes: Uint8Array): void {
    try {
      this.#replies.add(bytes)
      for (;;) {
        const parsed = this.#replies.next()
        if (parsed === undefined) break
        if (this.onMessage !== undefined && isMessage(parsed.reply)) {
          this.onMessage(parsed.reply)
          continue
        }
        const waiting = this.#waiting.shift()
        if (waiting === undefined)
          throw cliErrors.not_redis({ url: this.url, problem: 'a reply that nobody asked for' })
        waiting.resolve(parsed.reply)
      }
      this.#watchSilence()
    } catch (error) {
      const failure =
        error instanceof ReplyProblem ? cliErrors.not_redis({ url: this.url, problem: error.message }) : error
      this.#fail(failure instanceof Error ? failure : new Error(String(failure)))
      this.#socket.destroy()
    }
  }

  #watchSilence(): void {
    this.#silence?.cancel()
    if (this.#waiting.length === 0) return
    this.#silence = this.#clock.after(silenceMs, () => {
      this.#fail(cliErrors.server_silent({ url: this.url, seconds: silenceMs / second }))
      this.#socket.destroy()
    })
  }

  #fail(error: Error): void {
    this.#silence?.cancel()
    const isFirst = this.#failure === undefined
    this.#failure ??= error
    if (isFirst) this.onLost?.(error)
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }
}

/** What `redis://USER@HOST:PORT` says, with TLS by `rediss://`; `cli.bad_url`, which shows no password. */
export function parseUrl(url: string): { host: string; port: number; user: string; isSecure: boolean } {
  const shown = url.replace(/^([a-z]+:\/\/[^/@]*?):.*@/i, '$1:***@')
  const refuse = (fault: string) => cliErrors.bad_url({ url: shown, fault })
  if (!URL.canParse(url)) throw refuse('it is no URL')
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw refuse(`${protocol}// is not redis://`)
  // Command lines and variables of addresses are shown in lists of processes and in messages.
  if (password !== '') throw refuse(`its password goes into ${passwordVariable}`)
  if (pathname !== '' && pathname !== '/' && pathname !== '/0') throw refuse('there is only database 0')
  if (hostname === '') throw refuse('it names no host')
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 7379 : Number(port),
    user: decodeURIComponent(username),
    isSecure: protocol === 'rediss:',
  }
}

function isMessage(reply: Reply): reply is readonly Reply[] {
  if (!Array.isArray(reply)) return false
  const [kind] = reply as readonly Reply[]
  return kind instanceof Uint8Array && /^p?message$/.test(Buffer.from(kind).toString('latin1'))
}

function encodeCommand(args: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)]
  for (const arg of args) {
    const bytes = typeof arg === 'string' ? Buffer.from(arg) : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength)
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

class ReplyProblem extends Error {}

/** Takes replies off a growing buffer. An unfinished reply is walked again when more has come, its bytes not copied. */
export class ReplyParser {
  #bytes = Buffer.allocUnsafe(64 * 1024)
  #start = 0
  #end = 0
  #place = 0

  add(bytes: Uint8Array): void {
    const held = this.#end - this.#start
    if (this.#end + bytes.length > this.#bytes.length) {
      if (held + bytes.length > replyBytesMax) throw new ReplyProblem(`a reply of more than ${replyBytesMax} bytes`)
      const room =
        held + bytes.length > this.#bytes.length ? Buffer.allocUnsafe(2 * (held + bytes.length)) : this.#bytes
      this.#bytes.copy(room, 0, this.#start, this.#end)
      this.#bytes = room
      this.#start = 0
      this.#end = held
    }
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  next(): { reply: Reply } | undefined {
    if (this.#start === this.#end) return undefined
    this.#place = this.#start
    const reply = this.#read(0)
    if (reply === undefined) return undefined
    this.#start = this.#place
    return { reply }
  }

  /** undefined: not all of it is here yet. */
  #read(depth: number): Reply | undefined {
    if (depth > 8) throw new ReplyProblem('arrays nested too deep')
    const line = this.#line()
    if (line === undefined) return undefined
    const rest = line.slice(1)
    switch (line[0]) {
      case '+':
        return rest
      case '-':
        return new ServerError(rest)
      case ':':
        return this.#integer(rest)
      case '$':
        return this.#bulk(this.#integer(rest))
      case '*':
        return this.#array(this.#integer(rest), depth)
      case '_':
        return null
      default:
        throw new ReplyProblem(`a reply begins with ${JSON.stringify(line.slice(0, 20))}`)
    }
  }

  #line(): string | undefined {
    const found = this.#bytes.subarray(this.#place, this.#end).indexOf(lineFeed)
    if (found < 0) {
      if (this.#end - this.#place > 64 * 1024) throw new ReplyProblem('a line without an end')
      return undefined
    }
    const line = this.#bytes.toString('utf8', this.#place, this.#place + found).replace(/\r$/, '')
    this.#place += found + 1
    return line
  }

  #integer(text: string): number {
    if (!/^-?\d{1,16}$/.test(text)) throw new ReplyProblem(`${JSON.stringify(text.slice(0, 20))} is not a number`)
    return Number(text)
  }

  #bulk(bytes: number): Uint8Array | null | undefined {
    if (bytes < 0) return null
    if (bytes > replyBytesMax) throw new ReplyProblem(`a value of ${bytes} bytes`)
    if (this.#place + bytes + 2 > this.#end) return undefined
    const value = new Uint8Array(this.#bytes.subarray(this.#place, this.#place + bytes))
    this.#place += bytes + 2
    return value
  }

  #array(length: number, depth: number): readonly Reply[] | null | undefined {
    if (length < 0) return null
    const items: Reply[] = []
    for (let i = 0; i < length; i++) {
      const item = this.#read(depth + 1)
      if (item === undefined) return undefined
      items.push(item)
    }
    return items
  }
}

function reasonOf(error: Error): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (error instanceof OrbitError) return error.message
  // A name with several addresses fails with one error for each.
  if (error instanceof AggregateError) return reasonOf(error.errors[0] as Error)
  return code ?? message
}
