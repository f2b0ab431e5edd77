/**
 * A selector: some commands on some keys and channels. A user has one of its own, and may have more; what a command
 * does is allowed if one selector allows all of it.
 */

import { compileGlob, type Glob } from '@orbitkv/bytes'
import type { Catalogue } from './catalogue.ts'
import { CommandSet } from './command-set.ts'
import { accessErrors } from './errors.ts'
import { blanks, bytesOf, textOf } from './text.ts'

interface KeyPattern {
  readonly pattern: string
  readonly canRead: boolean
  readonly canWrite: boolean
  readonly glob: Glob
}

interface ChannelPattern {
  readonly pattern: string
  readonly glob: Glob
}

/** A span of bytes that names a key or a channel. */
export interface Span {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** What is done with a key; with neither, such as asking whether it is there, any right to it is enough. */
export interface KeyUse extends Span {
  readonly isRead: boolean
  readonly isWritten: boolean
}

export interface ChannelUse extends Span {
  /** Of a pattern that is subscribed to: the same pattern must have been granted. */
  readonly isPattern: boolean
}

export class Selector {
  commands: CommandSet
  #keys: KeyPattern[] = []
  #allKeys = false
  #channels: ChannelPattern[] = []
  #allChannels = false

  constructor(catalogue: Catalogue) {
    this.commands = new CommandSet(catalogue)
  }

  clone(catalogue: Catalogue): Selector {
    const copy = new Selector(catalogue)
    copy.commands = this.commands.clone()
    copy.#keys = [...this.#keys]
    copy.#allKeys = this.#allKeys
    copy.#channels = [...this.#channels]
    copy.#allChannels = this.#allChannels
    return copy
  }

  get allowsAll(): boolean {
    return this.#allKeys && this.#allChannels && this.commands.allowsAll
  }

  get allowsAllKeys(): boolean {
    return this.#allKeys
  }

  /** It allows a command whatever the arguments. */
  allowsAlways(command: number, usesChannels: boolean): boolean {
    return this.#allKeys && (this.#allChannels || !usesChannels) && this.commands.allows(command, noArgument)
  }

  /** Applies a rule on commands, keys or channels. Errors: `access.*`. */
  apply(rule: string): void {
    const word = rule.toLowerCase()
    if (word === 'allkeys' || rule === '~*') this.#setAllKeys(true)
    else if (word === 'resetkeys') this.#setAllKeys(false)
    else if (word === 'allchannels' || rule === '&*') this.#setAllChannels(true)
    else if (word === 'resetchannels') this.#setAllChannels(false)
    else if (word === 'allcommands') this.commands.setAll(true)
    else if (word === 'nocommands') this.commands.setAll(false)
    else if (rule[0] === '~') this.#addKeys(rule.slice(1), true, true)
    else if (rule[0] === '%') this.#addKeysByUse(rule)
    else if (rule[0] === '&') this.#addChannels(rule.slice(1))
    else if (rule.length > 1 && (rule[0] === '+' || rule[0] === '-')) this.#applyToCommands(word)
    else throw accessErrors.syntax()
  }

  #applyToCommands(word: string): void {
    const isAllowed = word[0] === '+'
    if (word[1] === '@') this.commands.setClass(word.slice(2), isAllowed)
    else this.commands.setCommand(word.slice(1), isAllowed)
  }

  #setAllKeys(isAll: boolean): void {
    this.#allKeys = isAll
    this.#keys = []
  }

  #setAllChannels(isAll: boolean): void {
    this.#allChannels = isAll
    this.#channels = []
  }

  /** `%R~pattern`, `%W~pattern`, `%RW~pattern`. */
  #addKeysByUse(rule: string): void {
    const parts = /^%(R|W|RW|WR)~(.*)$/is.exec(rule)
    if (parts === null) throw accessErrors.syntax()
    const uses = (parts[1] as string).toUpperCase()
    this.#addKeys(parts[2] as string, uses.includes('R'), uses.includes('W'))
  }

  #addKeys(pattern: string, canRead: boolean, canWrite: boolean): void {
    if (this.#allKeys) throw accessErrors.has_all_keys()
    refuseBlanks(pattern)
    const place = this.#keys.findIndex((known) => known.pattern === pattern)
    const known = this.#keys[place]
    const glob = known?.glob ?? compileGlob(bytesOf(pattern))
    const merged = {
      pattern,
      glob,
      canRead: canRead || known?.canRead === true,
      canWrite: canWrite || known?.canWrite === true,
    }
    if (known === undefined) this.#keys.push(merged)
    else this.#keys[place] = merged
  }

  #addChannels(pattern: string): void {
    if (this.#allChannels) throw accessErrors.has_all_channels()
    refuseBlanks(pattern)
    if (this.#channels.some((known) => known.pattern === pattern)) return
    this.#channels.push({ pattern, glob: compileGlob(bytesOf(pattern)) })
  }

  allowsKey(use: KeyUse): boolean {
    if (this.#allKeys) return true
    for (const { canRead, canWrite, glob } of this.#keys) {
      if ((use.isRead && !canRead) || (use.isWritten && !canWrite)) continue
      if (glob.matches(use.bytes, use.start, use.end)) return true
    }
    return false
  }

  allowsChannel({ bytes, start, end, isPattern }: ChannelUse): boolean {
    if (this.#allChannels) return true
    const text = isPattern ? textOf(bytes.subarray(start, end)) : ''
    return this.#channels.some(({ pattern, glob }) => (isPattern ? pattern === text : glob.matches(bytes, start, end)))
  }

  get keysText(): string {
    if (this.#allKeys) return '~*'
    return this.#keys.map(keyText).join(' ')
  }

  get channelsText(): string {
    if (this.#allChannels) return '&*'
    return this.#channels.map(({ pattern }) => `&${pattern}`).join(' ')
  }

  /** The rules that make a new selector into this one. */
  get rules(): string[] {
    const channels = this.#allChannels ? '&*' : `resetchannels ${this.channelsText}`.trimEnd()
    return [this.keysText, channels, this.commands.text].filter((part) => part !== '')
  }
}

function noArgument(): undefined {
  return undefined
}

function keyText({ pattern, canRead, canWrite }: KeyPattern): string {
  if (canRead && canWrite) return `~${pattern}`
  return `${canRead ? '%R' : '%W'}~${pattern}`
}

/** The text of a user is words with blanks between them. */
function refuseBlanks(pattern: string): void {
  if (blanks.test(pattern)) throw accessErrors.syntax()
}
