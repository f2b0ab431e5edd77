/** Just enough of the Redis protocol to fill a server and to see that it is there. */

import net from 'node:net'

/** A server that has not answered after this long is taken for hung. */
const replyDeadlineMs = 30_000

export class Wire {
  readonly #socket: net.Socket

  private constructor(socket: net.Socket) {
    this.#socket = socket
  }

  static connect(port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Wire(socket))
      })
    })
  }

  /** Sends one command and resolves to its one-line reply; an error reply rejects. */
  call(parts: readonly (string | Uint8Array)[]): Promise<string> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      let text = ''
      const settle = (error: Error | undefined): void => {
        clearTimeout(timer)
        for (const event of ['data', 'error', 'close']) socket.removeAllListeners(event)
        if (error === undefined) resolve(text.slice(0, -2))
        else reject(error)
      }
      const timer = setTimeout(() => settle(new Error(`no reply to ${parts[0]}`)), replyDeadlineMs)
      socket.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1')
        if (text.endsWith('\r\n')) settle(text.startsWith('-') ? new Error(text.slice(1, -2)) : undefined)
      })
      socket.on('error', settle)
      socket.on('close', () => settle(new Error(`the server hung up during ${parts[0]}`)))
      socket.write(encode(parts))
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

function encode(parts: readonly (string | Uint8Array)[]): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(`*${parts.length}\r\n`)]
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(pieces)
}
