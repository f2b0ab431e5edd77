/** A plain Redis client for tests: sends what it is given and decodes replies without interpreting them. */

import net from 'node:net'

/** A reply as it came, its kind included, so that `:1` and `$1\r\n1` differ. */
export type Reply =
  | { readonly status: string }
  | { readonly error: string }
  | { readonly integer: string }
  | { readonly bulk: string }
  | { readonly verbatim: string }
  | { readonly array: readonly Reply[] }
  | { readonly set: readonly Reply[] }
  | { readonly map: readonly Reply[] }
  | { readonly double: string }
  | { readonly push: readonly Reply[] }
  | { readonly null: 'bulk' | 'array' | 'resp3' }

/** Decodes replies; text is latin1, so that any bytes pass. */
export class ReplyDecoder {
  #text = ''
  #position = 0

  /** The replies that are whole with these bytes. */
  feed(bytes: Buffer): Reply[] {
    this.#text = this.#text.slice(this.#position) + bytes.toString('latin1')
    this.#position = 0
    const replies: Reply[] = []
    for (;;) {
      const start = this.#position
      const reply = this.#read()
      if (reply === undefined) {
        this.#position = start
        return replies
      }
      replies.push(reply)
    }
  }

  #read(): Reply | undefined {
    const lineEnd = this.#text.indexOf('\r\n', this.#position)
    if (lineEnd < 0) return undefined
    const type = this.#text[this.#position]
    const line = this.#text.slice(this.#position + 1, lineEnd)
    this.#position = lineEnd + 2
    if (type === '+') return { status: line }
    if (type === '-') return { error: line }
    if (type === ':') return { integer: line }
    if (type === ',') return { double: line }
    if (type === '_') return { null: 'resp3' }
    const count = Number(line)
    if (type === '$' || type === '=') return this.#readBulk(type, count)
    if (type === '*' && count < 0) return { null: 'array' }
    if (type === '*') return this.#readMany(count, (array) => ({ array }))
    if (type === '>') return this.#readMany(count, (push) => ({ push }))
    if (type === '~') return this.#readMany(count, (set) => ({ set }))
    if (type === '%') return this.#readMany(count * 2, (map) => ({ map }))
    throw new Error(`no reply begins with ${JSON.stringify(type)}: ${line}`)
  }

  #readBulk(type: string, count: number): Reply | undefined {
    if (count < 0) return { null: 'bulk' }
    if (this.#text.length < this.#position + count + 2) return undefined
    const text = this.#text.slice(this.#position, this.#position + count)
    this.#position += count + 2
    return type === '$' ? { bulk: text } : { verbatim: text }
  }

  #readMany(count: number, make: (replies: Reply[]) => Reply): Reply | undefined {
    const replies: Reply[] = []
    for (let i = 0; i < count; i++) {
      const reply = this.#read()
      if (reply === undefined) return undefined
      replies.push(reply)
    }
    return make(replies)
  }
}

/** A command as a RESP array; text is latin1. */
export function encode(command: readonly (string | number)[]): Buffer {
  const parts = command.map((part) => Buffer.from(String(part), 'latin1'))
  const chunks: Buffer[] = [Buffer.from(`*${parts.length}\r\n`)]
  for (const part of parts) chunks.push(Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n'))
  return Buffer.concat(chunks)
}

export class RawClient {
  readonly #socket: net.Socket
  readonly #decoder = new ReplyDecoder()
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = []
  /** Came when nobody waited: messages. */
  readonly #unclaimed: Reply[] = []
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      for (const reply of this.#decoder.feed(bytes)) {
        const waiting = this.#waiting.shift()
        if (waiting === undefined) this.#unclaimed.push(reply)
        else waiting.resolve(reply)
      }
    })
    socket.on('error', () => socket.destroy())
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection is closed'))
        resolve()
      })
    })
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RawClient(socket))
      })
    })
  }

  call(...command: (string | number)[]): Promise<Reply> {
    return this.write(encode(command))
  }

  /** Sends bytes and waits for one more reply. */
  write(bytes: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#socket.write(bytes)
    })
  }

  /** What comes next without being asked for, or has come. */
  next(): Promise<Reply> {
    const reply = this.#unclaimed.shift()
    return reply === undefined ? this.write(Buffer.alloc(0)) : Promise.resolve(reply)
  }

  /** Sends all commands in one write and waits for as many replies. */
  pipeline(commands: readonly (readonly (string | number)[])[]): Promise<Reply[]> {
    const replies = commands.map(() => new Promise<Reply>((resolve, reject) => this.#waiting.push({ resolve, reject })))
    this.#socket.write(Buffer.concat(commands.map(encode)))
    return Promise.all(replies)
  }

  close(): void {
    this.#socket.destroy()
  }
}
