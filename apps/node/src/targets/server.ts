/**
 * A running server, spoken to by the Redis protocol on one connection.
 *
 * A batch is one MSET, which the server applies as a whole; entries that expire go before it, one command each. Keys
 * come by SCAN. An OrbitKV server walks them in key order, so a scan streams; any other server's are gathered and
 * sorted first, up to `sortedKeysMax`, as are those of a reverse scan.
 */

import { compareBytes, prefixEnd } from '@orbitkv/bytes'
import type { Clock } from '@orbitkv/runtime'
import { cliErrors } from '../errors.ts'
import type { Entry } from '../formats/mapping.ts'
import { type Argument, type Reply, RespClient, ServerError } from './resp.ts'
import { isOwnKey, type ScanRange, type Target, type WriteReport } from './target.ts'

const scanKeys = 1000
/** Values asked for at once: 64 of 1 MiB at most, by the store's usual limit. */
const valuesAtOnce = 64
const sortedKeysMax = 1_000_000
const noBytes = new Uint8Array(0)

export class ServerTarget implements Target {
  readonly label: string
  readonly valueBytesMax = undefined
  keysLeftOut = 0
  readonly #client: RespClient
  readonly #clock: Clock

  private constructor(client: RespClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
    this.label = client.url
  }

  /** Errors: `cli.bad_url`, `cli.no_server`, `cli.not_redis`, `cli.server_error`. */
  static async connect(url: string, clock: Clock, password?: string): Promise<ServerTarget> {
    const target = new ServerTarget(await RespClient.connect(url, clock, password), clock)
    await target.#call('PING')
    return target
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#bytesOrNone(await this.#call('GET', key))
  }

  async put(key: Uint8Array, value: Uint8Array, ttlMs?: number): Promise<undefined> {
    await (ttlMs === undefined ? this.#call('SET', key, value) : this.#call('SET', key, value, 'PX', String(ttlMs)))
  }

  async delete(keys: readonly Uint8Array[]): Promise<boolean[]> {
    const replies = await Promise.all(keys.map((key) => this.#call('DEL', key)))
    return replies.map((reply) => reply === 1)
  }

  async *pages(range: ScanRange): AsyncGenerator<readonly Entry[]> {
    let left = range.limit ?? Number.POSITIVE_INFINITY
    if (left === 0) return
    const keys =
      range.reverse === true || !(await this.#isOrdered()) ? this.#sortedKeys(range) : this.#streamedKeys(range)
    for await (const page of keys) {
      for (let start = 0; start < page.length && left > 0; start += valuesAtOnce) {
        const wanted = page.slice(start, Math.min(start + valuesAtOnce, start + left))
        left -= wanted.length
        const entries = await this.#entries(wanted, range)
        if (entries.length > 0) yield entries
      }
      if (left <= 0) return
    }
  }

  async count(): Promise<number> {
    return this.#number(await this.#call('DBSIZE'))
  }

  async write(entries: readonly Entry[]): Promise<WriteReport> {
    const now = this.#clock.now()
    const names = new Set<string>()
    const asked: Argument[] = ['EXISTS']
    const mset: Argument[] = ['MSET']
    const commands: Argument[][] = []
    let replaced = 0
    for (const { key, value, expiresAt } of entries) {
      if (!isOwnKey(key)) {
        const name = Buffer.from(key).toString('latin1')
        if (names.has(name)) replaced++
        else asked.push(key)
        names.add(name)
      }
      if (expiresAt > 0) commands.push(['SET', key, value, 'PX', String(Math.max(expiresAt - now, 1))])
      else mset.push(key, value)
    }
    // One after the other on one connection: EXISTS sees the state before, and MSET, which may carry the progress of an
    // import, takes effect only after the entries that expire.
    if (mset.length > 1) commands.push(mset)
    if (asked.length > 1) commands.unshift(asked)
    const replies = await Promise.all(commands.map((command) => this.#call(...command)))
    if (asked.length > 1) replaced += this.#number(replies[0] as Reply)
    return { replaced }
  }

  async stats(): Promise<Readonly<Record<string, unknown>>> {
    const text = this.#text(await this.#call('INFO'))
    const sections: Record<string, Record<string, string>> = {}
    let section: Record<string, string> = {}
    for (const line of text.split(/\r?\n/)) {
      const colon = line.indexOf(':')
      if (line.startsWith('# ')) {
        section = {}
        sections[line.slice(2).toLowerCase()] = section
      } else if (colon > 0) {
        section[line.slice(0, colon)] = line.slice(colon + 1)
      }
    }
    return sections
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #isOrdered(): Promise<boolean> {
    return /^orbit/m.test(this.#text(await this.#call('INFO', 'server')))
  }

  async *#streamedKeys(range: ScanRange): AsyncGenerator<readonly Uint8Array[]> {
    const inRange = rangeTest(range)
    let last: Uint8Array | undefined
    for await (const keys of this.#scan(range.prefix)) {
      const page: Uint8Array[] = []
      for (const key of keys) {
        // A server that forgot the cursor begins again at the first key.
        if (last !== undefined && compare(key, last) <= 0) continue
        last = key
        const place = inRange(key)
        if (place > 0) {
          yield page
          return
        }
        if (place === 0) page.push(key)
      }
      if (page.length > 0) yield page
    }
  }

  async *#sortedKeys(range: ScanRange): AsyncGenerator<readonly Uint8Array[]> {
    const inRange = rangeTest(range)
    const all: Uint8Array[] = []
    for await (const keys of this.#scan(range.prefix)) {
      for (const key of keys) if (inRange(key) === 0) all.push(key)
      if (all.length > sortedKeysMax) {
        throw cliErrors.server_error({
          url: this.label,
          answer: `more than ${sortedKeysMax} keys, too many to sort here; narrow the range, or stop the server and use --data`,
        })
      }
    }
    all.sort(compare)
    // SCAN may give a key twice.
    const keys = all.filter((key, index) => index === 0 || compare(key, all[index - 1] as Uint8Array) !== 0)
    yield range.reverse === true ? keys.reverse() : keys
  }

  async *#scan(prefix: Uint8Array | undefined): AsyncGenerator<readonly Uint8Array[]> {
    const pattern = prefix === undefined ? [] : ['MATCH', globOfPrefix(prefix)]
    let cursor: Argument = '0'
    do {
      const reply = await this.#call('SCAN', cursor, ...pattern, 'COUNT', String(scanKeys))
      const [next, keys] = Array.isArray(reply) ? (reply as readonly Reply[]) : []
      if (!(next instanceof Uint8Array) || !Array.isArray(keys)) throw this.#notRedis('SCAN answered in another form')
      cursor = Buffer.from(next).toString('latin1')
      yield keys.map((key: Reply) => this.#bytes(key)).filter((key) => !isOwnKey(key))
    } while (cursor !== '0')
  }

  async #entries(keys: readonly Uint8Array[], range: ScanRange): Promise<Entry[]> {
    if (range.keysOnly === true) return keys.map((key) => ({ key, value: noBytes, expiresAt: 0 }))
    const now = this.#clock.now()
    const [values, times] = await Promise.all([
      this.#call('MGET', ...keys),
      range.withExpiry === true ? Promise.all(keys.map((key) => this.#call('PTTL', key))) : undefined,
    ])
    if (!Array.isArray(values)) throw this.#notRedis('MGET answered in another form')
    const entries: Entry[] = []
    for (const [index, key] of keys.entries()) {
      // A key that went away since SCAN named it, or that holds no plain value.
      const value = this.#bytesOrNone(values[index] as Reply)
      const ttlMs = times === undefined ? -1 : this.#number(times[index] as Reply)
      if (value === undefined) this.keysLeftOut++
      else entries.push({ key, value, expiresAt: ttlMs >= 0 ? now + ttlMs : 0 })
    }
    return entries
  }

  async #call(...args: readonly Argument[]): Promise<Reply> {
    const reply = await this.#client.send(args)
    if (reply instanceof ServerError) throw cliErrors.server_error({ url: this.label, answer: reply.text })
    return reply
  }

  #bytes(reply: Reply): Uint8Array {
    if (reply instanceof Uint8Array) return reply
    throw this.#notRedis('a value was expected')
  }

  #bytesOrNone(reply: Reply): Uint8Array | undefined {
    return reply === null ? undefined : this.#bytes(reply)
  }

  #text(reply: Reply): string {
    return typeof reply === 'string' ? reply : Buffer.from(this.#bytes(reply)).toString('utf8')
  }

  #number(reply: Reply): number {
    if (typeof reply === 'number') return reply
    throw this.#notRedis('a number was expected')
  }

  #notRedis(problem: string): Error {
    return cliErrors.not_redis({ url: this.label, problem })
  }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length)
}

/** Negative where a key is before the range, 0 inside, positive behind it. */
function rangeTest({ prefix, gt, gte, lt, lte }: ScanRange): (key: Uint8Array) => number {
  const end = prefix === undefined ? undefined : prefixEnd(prefix)
  return (key) => {
    if (prefix !== undefined && compare(key, prefix) < 0) return -1
    if (gt !== undefined && compare(key, gt) <= 0) return -1
    if (gte !== undefined && compare(key, gte) < 0) return -1
    if (end !== undefined && compare(key, end) >= 0) return 1
    if (lt !== undefined && compare(key, lt) >= 0) return 1
    if (lte !== undefined && compare(key, lte) > 0) return 1
    return 0
  }
}

/** The pattern that everything beginning with `prefix` matches. */
export function globOfPrefix(prefix: Uint8Array): Uint8Array {
  const special = Buffer.from('*?[]^-\\')
  const pattern: number[] = []
  for (const byte of prefix) {
    if (special.includes(byte)) pattern.push(0x5c)
    pattern.push(byte)
  }
  pattern.push(0x2a)
  return Uint8Array.from(pattern)
}
