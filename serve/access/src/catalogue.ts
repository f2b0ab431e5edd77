/**
 * The commands that rights are about: their names and their classes, each with a number, so that a set of them is a bitmap.
 *
 * A front gives its commands once, at its start. A subcommand is named with its container, `client|kill`.
 */

import { assert } from '@orbitkv/base'

export interface CatalogueEntry {
  /** In small letters. */
  readonly name: string
  /** What Redis calls categories, without the `@`. */
  readonly classes: readonly string[]
  /** Anybody may run it, logged in or not: what logging in needs. */
  readonly isOpen: boolean
  /** It is about channels. */
  readonly usesChannels?: boolean
}

/** In the order in which they are shown. */
export const commandClasses = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
] as const

export class Catalogue {
  readonly #numbers = new Map<string, number>()
  readonly #isOpen: boolean[] = []
  readonly #usesChannels: boolean[] = []
  readonly #byClass = new Map<string, number[]>(commandClasses.map((name) => [name, []]))
  /** A command, and its subcommands where it has any. */
  readonly #families = new Map<string, number[]>()

  constructor(entries: Iterable<CatalogueEntry>) {
    for (const { name, classes, isOpen, usesChannels = false } of entries) {
      assert(!this.#numbers.has(name), `the command ${name} is given once`)
      const number = this.#numbers.size
      this.#numbers.set(name, number)
      this.#isOpen.push(isOpen)
      this.#usesChannels.push(usesChannels)
      for (const one of classes) {
        const members = this.#byClass.get(one)
        assert(members !== undefined, `the class ${one} of ${name} is known`)
        members.push(number)
      }
      this.#families.set(name, [number])
      const separator = name.indexOf('|')
      if (separator > 0) this.#families.get(name.slice(0, separator))?.push(number)
    }
  }

  get size(): number {
    return this.#numbers.size
  }

  /** Undefined for a command that nobody gave. */
  numberOf(name: string): number | undefined {
    return this.#numbers.get(name)
  }

  isOpen(number: number): boolean {
    return this.#isOpen[number] as boolean
  }

  usesChannels(number: number): boolean {
    return this.#usesChannels[number] as boolean
  }

  /** The numbers of a command with its subcommands. */
  family(name: string): readonly number[] | undefined {
    return this.#families.get(name)
  }

  hasSubcommands(name: string): boolean {
    return (this.#families.get(name)?.length ?? 0) > 1
  }

  members(commandClass: string): readonly number[] | undefined {
    return this.#byClass.get(commandClass)
  }

  /** Names of the commands of a class. */
  names(commandClass: string): string[] | undefined {
    const members = this.#byClass.get(commandClass)
    if (members === undefined) return undefined
    const wanted = new Set(members)
    return [...this.#numbers].filter(([, number]) => wanted.has(number)).map(([name]) => name)
  }
}
