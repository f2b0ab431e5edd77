/**
 * Commands to one Redis server, with replies as what they must be. Both ends of a copy are spoken to through it.
 *
 * What must hold: a door that is lost stays lost; whoever holds it makes a new one.
 */

import { cliErrors } from '../../errors.ts'
import { type Argument, type Reply, type RespClient, ServerError } from '../../targets/resp.ts'

/** An error that the server answered: what it means is the caller's to say. */
export class AnswerError extends Error {
  readonly door: Door
  readonly command: string

  constructor(door: Door, command: string, text: string) {
    super(text)
    this.door = door
    this.command = command
  }

  /** The word that Redis errors begin with: `WRONGTYPE`. */
  get kind(): string {
    return this.message.split(' ', 1)[0] as string
  }
}

/** Answers of a server that is there, but cannot serve now; it will close nothing, so that we give the connection up. */
const passing = new Set(['LOADING', 'MASTERDOWN', 'BUSY', 'TRYAGAIN', 'CLUSTERDOWN'])

export class Door {
  readonly name: string
  readonly client: RespClient
  #lost: Error | undefined

  constructor(client: RespClient) {
    this.client = client
    this.name = client.url
  }

  /** Why the connection is of no use any more; undefined while it is. */
  get lost(): Error | undefined {
    return this.#lost
  }

  /** Errors: `AnswerError`, and those of a lost connection. */
  async call(...args: readonly Argument[]): Promise<Reply> {
    let reply: Reply
    try {
      reply = await this.client.send(args)
    } catch (error) {
      this.#lost ??= error as Error
      throw error
    }
    if (!(reply instanceof ServerError)) return reply
    const answer = new AnswerError(this, String(args[0]), reply.text)
    if (passing.has(answer.kind)) {
      this.#lost ??= cliErrors.server_left({ url: this.name, reason: answer.message })
      throw this.#lost
    }
    throw answer
  }

  async number(...args: readonly Argument[]): Promise<number> {
    const reply = await this.call(...args)
    return typeof reply === 'number' ? reply : this.#refuse(args)
  }

  async text(...args: readonly Argument[]): Promise<string> {
    const reply = await this.call(...args)
    if (typeof reply === 'string') return reply
    return reply instanceof Uint8Array ? Buffer.from(reply).toString('utf8') : this.#refuse(args)
  }

  async bytes(...args: readonly Argument[]): Promise<Uint8Array | null> {
    const reply = await this.call(...args)
    return reply === null || reply instanceof Uint8Array ? reply : this.#refuse(args)
  }

  async list(...args: readonly Argument[]): Promise<readonly Reply[]> {
    const reply = await this.call(...args)
    return Array.isArray(reply) ? (reply as readonly Reply[]) : this.#refuse(args)
  }

  /** A list of nothing but bytes. */
  async many(...args: readonly Argument[]): Promise<Uint8Array[]> {
    const items = await this.list(...args)
    return items.map((item) => (item instanceof Uint8Array ? item : this.#refuse(args)))
  }

  /** One page of SCAN and its kin: the next cursor, and what there is. */
  async scan(...args: readonly Argument[]): Promise<{ cursor: string; items: Uint8Array[] }> {
    const [cursor, items] = await this.list(...args)
    if (!(cursor instanceof Uint8Array) || !Array.isArray(items)) return this.#refuse(args)
    const bytes = (items as readonly Reply[]).map((item) => (item instanceof Uint8Array ? item : this.#refuse(args)))
    return { cursor: Buffer.from(cursor).toString('latin1'), items: bytes }
  }

  async close(): Promise<void> {
    await this.client.close()
  }

  #refuse(args: readonly Argument[]): never {
    throw cliErrors.not_redis({ url: this.name, problem: `${String(args[0])} was answered in another form` })
  }
}
