/**
 * A user: whether it may log in and by what, and what it may do then.
 *
 * What must hold: passwords are kept as SHA-256 and compared in constant time; no text of a user holds a password. A user
 * is one object for as long as its name exists, so that connections notice every change at once.
 *
 * SHA-256 alone, since files of users are those of Redis; it is fast to guess, so long random passwords (ACL GENPASS)
 * are the ones to use, and the login guard slows guessing down over the network.
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { Catalogue } from './catalogue.ts'
import { accessErrors } from './errors.ts'
import { type ChannelUse, type KeyUse, Selector } from './selector.ts'
import { bytesOf } from './text.ts'

/** What a command does, as far as rights are concerned. */
export interface Use {
  /** Of the catalogue. */
  readonly command: number
  /** The argument after the command's name, for rules such as `+select|0`. */
  readonly firstArgument: () => string | undefined
  readonly keys: readonly KeyUse[]
  readonly channels: readonly ChannelUse[]
  /** How many of them hold: both lists may be longer, so that they can be used again. */
  readonly keyCount: number
  readonly channelCount: number
  /** It may touch keys that only running it tells: all of them must be granted. */
  readonly touchesUnknownKeys: boolean
}

/** Why something is not allowed: the first thing that no selector allows. */
export interface Denial {
  readonly reason: 'command' | 'key' | 'channel'
  /** Which key or channel; undefined for the command itself. */
  readonly object: Uint8Array | undefined
}

const noCommand: Denial = { reason: 'command', object: undefined }
const hashForm = /^[0-9a-f]{64}$/

export class User {
  readonly name: string
  isEnabled = false
  /** Any password is right. */
  isOpen = false
  /** It may run everything on everything, and nothing counts what it does: no check is needed. */
  isFree = false
  readonly #catalogue: Catalogue
  #hashes: string[] = []
  /** Its own first. */
  #selectors: Selector[]
  /** By command: 1 if it may be run with whatever arguments. */
  readonly #always: Uint8Array
  #hasChannelsAtFirst: boolean

  constructor(name: string, catalogue: Catalogue, hasChannelsAtFirst: boolean) {
    this.name = name
    this.#catalogue = catalogue
    this.#hasChannelsAtFirst = hasChannelsAtFirst
    this.#selectors = [this.#newSelector()]
    this.#always = new Uint8Array(catalogue.size)
  }

  #newSelector(): Selector {
    const selector = new Selector(this.#catalogue)
    if (this.#hasChannelsAtFirst) selector.apply('allchannels')
    return selector
  }

  /** One that can be changed without this one noticing. */
  clone(hasChannelsAtFirst: boolean): User {
    const copy = new User(this.name, this.#catalogue, hasChannelsAtFirst)
    copy.become(this)
    copy.#hasChannelsAtFirst = hasChannelsAtFirst
    return copy
  }

  become(other: User): void {
    this.isEnabled = other.isEnabled
    this.isOpen = other.isOpen
    this.#hashes = [...other.#hashes]
    this.#selectors = other.#selectors.map((selector) => selector.clone(this.#catalogue))
  }

  get selectors(): readonly Selector[] {
    return this.#selectors
  }

  /** Takes note of what its rules allow whatever the arguments; to be called once rules have been applied. */
  settle(): void {
    for (let command = 0; command < this.#always.length; command++) {
      const usesChannels = this.#catalogue.usesChannels(command)
      const isAllowed = this.#selectors.some((selector) => selector.allowsAlways(command, usesChannels))
      this.#always[command] = isAllowed ? 1 : 0
    }
  }

  /** Whether a command needs no look at its arguments; if not, `denies` tells. */
  allowsAlways(command: number): boolean {
    return this.#always[command] === 1
  }

  /** SHA-256 of each password, in hexadecimal. */
  get hashes(): readonly string[] {
    return this.#hashes
  }

  get allowsAll(): boolean {
    return this.selectors.some((selector) => selector.allowsAll)
  }

  get flags(): string[] {
    return [this.isEnabled ? 'on' : 'off', ...(this.isOpen ? ['nopass'] : [])]
  }

  /** The rules that make a new user into this one, in the form of ACL LIST and of files. */
  get rules(): string[] {
    const [own, ...more] = this.#selectors as [Selector, ...Selector[]]
    return [
      ...this.flags,
      ...this.#hashes.map((hash) => `#${hash}`),
      ...own.rules,
      ...more.map((selector) => `(${selector.rules.join(' ')})`),
    ]
  }

  /** Applies a rule. Errors: `access.*`. */
  apply(rule: string): void {
    const word = rule.toLowerCase()
    if (word === 'on') this.isEnabled = true
    else if (word === 'off') this.isEnabled = false
    else if (word === 'nopass') {
      this.isOpen = true
      this.#hashes = []
    } else if (word === 'resetpass') {
      this.isOpen = false
      this.#hashes = []
    } else if (word === 'reset') this.#reset()
    else if (word === 'clearselectors') this.#selectors.length = 1
    else if (word === 'sanitize-payload' || word === 'skip-sanitize-payload') {
      // RESTORE here always checks what it is given.
    } else if (rule === '') {
      // As in Redis.
    } else if (rule[0] === '>') this.#addHash(hashOf(bytesOf(rule.slice(1))))
    else if (rule[0] === '<') this.#removeHash(hashOf(bytesOf(rule.slice(1))))
    else if (rule[0] === '#') this.#addHash(checkedHash(rule.slice(1)))
    else if (rule[0] === '!') this.#removeHash(checkedHash(rule.slice(1)))
    else if (rule[0] === '(' && rule.at(-1) === ')') this.#addSelector(rule.slice(1, -1))
    else this.#selectors[0]?.apply(rule)
  }

  #reset(): void {
    this.isEnabled = false
    this.isOpen = false
    this.#hashes = []
    this.#selectors = [this.#newSelector()]
  }

  #addSelector(rules: string): void {
    const selector = this.#newSelector()
    for (const rule of rules.split(' ')) if (rule !== '') selector.apply(rule)
    this.#selectors.push(selector)
  }

  #addHash(hash: string): void {
    if (!this.#hashes.includes(hash)) this.#hashes.push(hash)
    this.isOpen = false
  }

  #removeHash(hash: string): void {
    if (!this.#hashes.includes(hash)) throw accessErrors.no_such_password()
    this.#hashes = this.#hashes.filter((known) => known !== hash)
  }

  /** Whether this is one of its passwords; takes as long whichever it is. */
  hasPassword(password: Uint8Array): boolean {
    const hash = Buffer.from(hashOf(password))
    let isRight = this.isOpen
    for (const known of this.#hashes) isRight = timingSafeEqual(hash, Buffer.from(known)) || isRight
    return isRight
  }

  /** Undefined if it may. */
  denies(use: Use): Denial | undefined {
    let denial = noCommand
    let place = -1
    for (const selector of this.#selectors) {
      const found = this.#deniesIn(selector, use)
      if (found === undefined) return undefined
      // The selector that got furthest tells most about what is missing.
      if (found.place > place) {
        place = found.place
        denial = found.denial
      }
    }
    return denial
  }

  #deniesIn(selector: Selector, use: Use): { denial: Denial; place: number } | undefined {
    const { command, keys, channels, keyCount, channelCount } = use
    if (!this.#catalogue.isOpen(command) && !selector.commands.allows(command, use.firstArgument)) {
      return { denial: noCommand, place: 0 }
    }
    if (use.touchesUnknownKeys && !selector.allowsAllKeys) {
      return { denial: { reason: 'key', object: new Uint8Array(0) }, place: 1 }
    }
    for (let place = 0; place < keyCount; place++) {
      const key = keys[place] as KeyUse
      if (!selector.allowsKey(key)) return { denial: { reason: 'key', object: copyOf(key) }, place: place + 1 }
    }
    for (let place = 0; place < channelCount; place++) {
      const channel = channels[place] as ChannelUse
      if (!selector.allowsChannel(channel)) {
        return { denial: { reason: 'channel', object: copyOf(channel) }, place: keyCount + place + 1 }
      }
    }
    return undefined
  }

  /** Whether a subscription that was allowed still is. */
  allowsChannel(use: ChannelUse): boolean {
    return this.#selectors.some((selector) => selector.allowsChannel(use))
  }
}

function hashOf(password: Uint8Array): string {
  return createHash('sha256').update(password).digest('hex')
}

function checkedHash(hash: string): string {
  if (!hashForm.test(hash)) throw accessErrors.bad_hash()
  return hash
}

function copyOf({ bytes, start, end }: KeyUse | ChannelUse): Uint8Array {
  return bytes.slice(start, end)
}
