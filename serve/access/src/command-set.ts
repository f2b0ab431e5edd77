/**
 * Which commands a selector allows: a bitmap for the answer, and the rules in their order for the text.
 *
 * What must hold: the rules, applied in order to a set that allows nothing, give the bitmap. A rule takes the place of
 * earlier ones that it makes meaningless, so that the text does not grow with every change.
 */

import type { Catalogue } from './catalogue.ts'
import { accessErrors } from './errors.ts'

export class CommandSet {
  readonly #catalogue: Catalogue
  #allowed: Uint8Array
  #allowedCount = 0
  /** Commands that are allowed with certain first arguments only. */
  #firstArguments = new Map<number, Set<string>>()
  /** The base, `+@all` or `-@all`, and what changes it. */
  #rules: string[] = ['-@all']

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue
    this.#allowed = new Uint8Array(catalogue.size)
  }

  /** Every command, those of later versions included. */
  get allowsAll(): boolean {
    return this.#allowedCount === this.#allowed.length && !this.#rules.some((rule) => rule[0] === '-')
  }

  get text(): string {
    return this.#rules.join(' ')
  }

  clone(): CommandSet {
    const copy = new CommandSet(this.#catalogue)
    copy.#allowed = this.#allowed.slice()
    copy.#allowedCount = this.#allowedCount
    copy.#firstArguments = new Map([...this.#firstArguments].map(([number, texts]) => [number, new Set(texts)]))
    copy.#rules = [...this.#rules]
    return copy
  }

  /** `firstArgument` gives the argument after the command's name, where one is needed. */
  allows(number: number, firstArgument: () => string | undefined): boolean {
    if (this.#allowed[number] === 1) return true
    const texts = this.#firstArguments.get(number)
    if (texts === undefined) return false
    const text = firstArgument()
    return text !== undefined && texts.has(text.toLowerCase())
  }

  setAll(isAllowed: boolean): void {
    this.#allowed.fill(isAllowed ? 1 : 0)
    this.#allowedCount = isAllowed ? this.#allowed.length : 0
    this.#firstArguments.clear()
    this.#rules = [isAllowed ? '+@all' : '-@all']
  }

  /** `+@class` and `-@class`. */
  setClass(name: string, isAllowed: boolean): void {
    if (name === 'all') {
      this.setAll(isAllowed)
      return
    }
    const members = this.#catalogue.members(name)
    if (members === undefined) throw accessErrors.unknown_command()
    for (const number of members) this.#set(number, isAllowed)
    this.#addRule(`@${name}`, isAllowed)
  }

  /** `+command`, `-command`, `+command|subcommand` and `+command|first-argument`. */
  setCommand(name: string, isAllowed: boolean): void {
    const family = this.#catalogue.family(name)
    if (family !== undefined) {
      for (const number of family) this.#set(number, isAllowed)
      this.#addRule(name, isAllowed)
    } else if (isAllowed && name.includes('|')) this.#allowFirstArgument(name)
    else throw accessErrors.unknown_command()
  }

  #allowFirstArgument(name: string): void {
    const separator = name.lastIndexOf('|')
    const command = name.slice(0, separator)
    const number = this.#catalogue.numberOf(command)
    if (number === undefined) throw accessErrors.unknown_command()
    if (command.includes('|')) throw accessErrors.first_argument()
    if (separator === name.length - 1) throw accessErrors.syntax()
    if (this.#catalogue.hasSubcommands(command)) throw accessErrors.unknown_command()
    const texts = this.#firstArguments.get(number)
    if (texts === undefined) this.#firstArguments.set(number, new Set([name.slice(separator + 1)]))
    else texts.add(name.slice(separator + 1))
    if (this.#allowed[number] === 0) this.#addRule(name, true)
  }

  #set(number: number, isAllowed: boolean): void {
    this.#firstArguments.delete(number)
    const value = isAllowed ? 1 : 0
    if (this.#allowed[number] === value) return
    this.#allowed[number] = value
    this.#allowedCount += isAllowed ? 1 : -1
  }

  /** A command for which the rules that are left say the same needs no rule; a class may get members in a later version. */
  #addRule(name: string, isAllowed: boolean): void {
    this.#rules = this.#rules.filter((rule) => {
      const earlier = rule.slice(1)
      return earlier !== name && !earlier.startsWith(`${name}|`)
    })
    if (name[0] === '@' || !this.#followsFromRest(name, isAllowed)) this.#rules.push(`${isAllowed ? '+' : '-'}${name}`)
  }

  /** Whether the rules that are left give a command the same answer without a rule of its own. */
  #followsFromRest(name: string, isAllowed: boolean): boolean {
    const follows = (number: number): boolean => {
      let answer = false
      for (const rule of this.#rules) if (this.#membersOf(rule.slice(1)).includes(number)) answer = rule[0] === '+'
      return answer === isAllowed
    }
    return this.#catalogue.family(name)?.every(follows) === true
  }

  /** Whom a rule without its sign is about. */
  #membersOf(name: string): readonly number[] {
    if (name === '@all') return [...this.#allowed.keys()]
    if (name.startsWith('@')) return this.#catalogue.members(name.slice(1)) ?? []
    return this.#catalogue.family(name) ?? []
  }
}
