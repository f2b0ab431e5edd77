/**
 * Which keys and channels a command is about, and what it does with them: from the rows of the table of commands.
 *
 * What must hold: a key that a command may touch is told here, or the command is said to touch unknown ones, which
 * only a user with every key may run. Arguments that make no sense tell no key: the command will refuse them itself.
 */

import type { ChannelUse, KeyUse } from '@orbitkv/access'
import type { Command, KeySpec, KeysBehind } from '../commands/command.ts'
import type { Arguments } from '../protocol/arguments.ts'
import { parseInteger } from '../protocol/numbers.ts'

/** More places than this are not kept for the next command. */
const placesKept = 16

type Writable<Value> = { -readonly [Name in keyof Value]: Value[Name] }

/** What a command uses. One object can hold that of many, one after the other, so that checking rights allocates nothing. */
export class Uses {
  /** `keyCount` of them hold, and `channelCount` of the channels. */
  readonly keys: Writable<KeyUse>[] = []
  readonly channels: Writable<ChannelUse>[] = []
  keyCount = 0
  channelCount = 0
  touchesUnknownKeys = false
  command = -1
  #found: Arguments | undefined
  #offset = 0

  readonly firstArgument = (): string | undefined => {
    const place = this.#offset + 1
    return this.#found !== undefined && this.#found.count > place ? this.#found.text(place) : undefined
  }

  begin(command: Command, found: Arguments, offset: number): void {
    this.command = command.right
    this.#found = found
    this.#offset = offset
    this.keyCount = 0
    this.channelCount = 0
    this.touchesUnknownKeys = false
    if (this.keys.length > placesKept) this.keys.length = placesKept
    if (this.channels.length > placesKept) this.channels.length = placesKept
  }

  nextKey(): Writable<KeyUse> {
    const place = this.keyCount++
    this.keys[place] ??= { bytes: noBytes, start: 0, end: 0, isRead: false, isWritten: false }
    return this.keys[place]
  }

  nextChannel(): Writable<ChannelUse> {
    const place = this.channelCount++
    this.channels[place] ??= { bytes: noBytes, start: 0, end: 0, isPattern: false }
    return this.channels[place]
  }
}

const noBytes = new Uint8Array(0)

/** The arguments of the command begin at `offset` of those found: not at 0 for ACL DRYRUN. Fills and returns `uses`. */
export function usesOf(command: Command, found: Arguments, offset = 0, uses: Uses = new Uses()): Uses {
  const count = found.count - offset
  uses.begin(command, found, offset)
  for (const spec of command.keys ?? noKeys) {
    if (!spec.flags.includes('not_key')) addKeys(uses, command, spec, found, offset, count)
  }
  addChannels(uses, command, found, offset, count)
  return uses
}

const noKeys: readonly KeySpec[] = []

function addKeys(uses: Uses, command: Command, spec: KeySpec, found: Arguments, offset: number, count: number): void {
  if ('first' in spec) {
    const last = spec.last < 0 ? count + spec.last : Math.min(spec.last, count - 1)
    addRange(uses, command, spec, found, offset, spec.first, last, spec.step)
  } else if ('behind' in spec) addKeysBehind(uses, command, spec, found, offset, count)
  else if ('countedAt' in spec) {
    const { countedAt } = spec
    if (countedAt >= count) return
    const keyCount = parseInteger(found.bytes, found.start(offset + countedAt), found.end(offset + countedAt))
    if (typeof keyCount !== 'number' || keyCount < 1 || countedAt + keyCount >= count) return
    addRange(uses, command, spec, found, offset, countedAt + 1, countedAt + keyCount, 1)
  } else {
    const places = spec.find === undefined ? 'any' : spec.find(found, offset)
    if (places === 'any') uses.touchesUnknownKeys = true
    else for (const place of places) addKey(uses, command, spec, found, offset, place)
  }
}

/** From the first option on, since those before the word may be in any order; the names behind GROUP are no word. */
function addKeysBehind(
  uses: Uses,
  command: Command,
  spec: KeysBehind,
  found: Arguments,
  offset: number,
  count: number,
): void {
  for (let place = 1; place < count; place++) {
    if (found.is(offset + place, 'GROUP')) place += 2
    else if (found.is(offset + place, spec.behind)) {
      const keyCount = Math.floor((count - place - 1) / spec.parts)
      addRange(uses, command, spec, found, offset, place + 1, place + keyCount, 1)
      return
    }
  }
}

function addRange(
  uses: Uses,
  command: Command,
  spec: KeySpec,
  found: Arguments,
  offset: number,
  first: number,
  last: number,
  step: number,
): void {
  for (let place = first; place <= last; place += step) addKey(uses, command, spec, found, offset, place)
}

function addKey(
  uses: Uses,
  command: Command,
  { flags }: KeySpec,
  found: Arguments,
  offset: number,
  place: number,
): void {
  const use = uses.nextKey()
  use.bytes = found.bytes
  use.start = found.start(offset + place)
  use.end = found.end(offset + place)
  const varies = flags.includes('variable_flags') ? variableUses[command.name]?.(found, offset) : undefined
  use.isRead = varies?.isRead ?? flags.includes('access')
  use.isWritten =
    varies?.isWritten ?? (flags.includes('update') || flags.includes('insert') || flags.includes('delete'))
}

type VariableUse = (found: Arguments, offset: number) => { readonly isRead: boolean; readonly isWritten: boolean }

/** Commands whose options decide what they do with their key. */
const variableUses: Readonly<Record<string, VariableUse>> = {
  set: (found, offset) => ({ isRead: hasWord(found, offset + 3, 'GET'), isWritten: true }),
  bitfield: (found, offset) => {
    let place = offset + 2
    while (place < found.count && found.is(place, 'GET')) place += 3
    return { isRead: true, isWritten: place < found.count }
  },
}

function hasWord(found: Arguments, first: number, word: string): boolean {
  for (let place = first; place < found.count; place++) if (found.is(place, word)) return true
  return false
}

/** First and last argument that names a channel, or a pattern of channels. */
const channelArguments: Readonly<Record<string, { readonly last: number; readonly isPattern: boolean }>> = {
  publish: { last: 1, isPattern: false },
  spublish: { last: 1, isPattern: false },
  subscribe: { last: -1, isPattern: false },
  ssubscribe: { last: -1, isPattern: false },
  psubscribe: { last: -1, isPattern: true },
}

/** Whether a command is about channels. */
export function usesChannels({ fullName }: Command): boolean {
  return channelArguments[fullName] !== undefined
}

function addChannels(uses: Uses, command: Command, found: Arguments, offset: number, count: number): void {
  const spec = channelArguments[command.fullName]
  if (spec === undefined) return
  const last = spec.last < 0 ? count + spec.last : Math.min(spec.last, count - 1)
  for (let place = 1; place <= last; place++) {
    const use = uses.nextChannel()
    use.bytes = found.bytes
    use.start = found.start(offset + place)
    use.end = found.end(offset + place)
    use.isPattern = spec.isPattern
  }
}
