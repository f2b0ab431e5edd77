/** Looking commands up: by the bytes of their name, in any case, without making a string of them. */

import { assert } from '@orbitkv/base'
import type { Arguments } from '../protocol/arguments.ts'
import type { Command, CommandSpec } from './command.ts'

export type CommandTable = ReadonlyMap<string, Command>

/** Makes the rows ready to be called. Each server has its own, since they count their calls. */
export function commandTable(specs: readonly CommandSpec[]): CommandTable {
  return new Map(specs.map((spec) => [spec.name, commandOf(spec, spec.name)]))
}

function commandOf(spec: CommandSpec, fullName: string): Command {
  const byName = spec.subcommands?.map((sub) => [sub.name, commandOf(sub, `${fullName}|${sub.name}`)] as const)
  assert(spec.run !== undefined || byName !== undefined, `the command ${fullName} does something`)
  return {
    ...spec,
    fullName,
    byName: byName === undefined ? undefined : new Map(byName),
    isWrite: spec.flags.includes('write'),
    spread: undefined,
    right: -1,
    calls: 0,
    failures: 0,
    rejections: 0,
    durations: undefined,
    timedCalls: 0,
    nextTimedCall: 0,
  }
}

/** Slots of the hash table; a power of two, large enough that most commands have one to themselves. */
const slotCount = 1024

interface Slot {
  readonly name: Uint8Array
  readonly command: Command
}

export class CommandIndex {
  readonly #slots: Slot[][] = Array.from({ length: slotCount }, () => [])

  constructor(table: CommandTable) {
    for (const [name, command] of table) {
      const bytes = Buffer.from(name)
      this.#slots[hash(bytes, 0, bytes.length)]?.push({ name: bytes, command })
    }
  }

  /** The command whose name is `bytes[start, end)` in any case. */
  find(bytes: Uint8Array, start: number, end: number): Command | undefined {
    const slot = this.#slots[hash(bytes, start, end)] as Slot[]
    for (let i = 0; i < slot.length; i++) {
      const { name, command } = slot[i] as Slot
      if (isSame(name, bytes, start, end)) return command
    }
    return undefined
  }
}

/** No command has a longer name, so that a long one costs no more. */
const nameBytesMax = 32

function hash(bytes: Uint8Array, start: number, end: number): number {
  let mixed = end - start
  const last = Math.min(end, start + nameBytesMax)
  // Bit 0x20 is the difference between capitals and small letters.
  for (let i = start; i < last; i++) mixed = (Math.imul(mixed, 31) + ((bytes[i] as number) | 0x20)) | 0
  return (mixed ^ (mixed >>> 10)) & (slotCount - 1)
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) {
    let byte = bytes[start + i] as number
    if (byte >= 0x41 && byte <= 0x5a) byte += 32
    if (byte !== name[i]) return false
  }
  return true
}

/** The command or subcommand that the arguments from a place on name. */
export function commandAt(table: CommandTable, found: Arguments, place: number): Command | undefined {
  const command = table.get(found.text(place).toLowerCase())
  if (command?.byName === undefined || place + 1 >= found.count) return command
  return command.byName.get(found.text(place + 1).toLowerCase())
}
