/**
 * All users of a server, and their text: one line each, as in files of Redis.
 *
 * What must hold: a change of a user happens whole or not at all, and so does the loading of a file. There is always a
 * user `default`, which connections begin as where it needs no password.
 */

import type { Catalogue } from './catalogue.ts'
import { accessErrors } from './errors.ts'
import { blanks } from './text.ts'
import { User } from './user.ts'

export const defaultUserName = 'default'

export interface UsersOptions {
  readonly catalogue: Catalogue
  /** New users may use every channel until a rule says otherwise. */
  readonly hasChannelsAtFirst: boolean
}

export class Users {
  readonly catalogue: Catalogue
  /** Told after a user has changed: what was allowed may not be any more. */
  onChange: (user: User) => void = () => {}
  /** Told after a user is gone; its object allows nothing any more. */
  onRemove: (user: User) => void = () => {}
  hasChannelsAtFirst: boolean
  readonly #byName = new Map<string, User>()
  /** Has a password that nobody knows. */
  readonly #decoy: User
  #isCounted = false

  constructor({ catalogue, hasChannelsAtFirst }: UsersOptions) {
    this.catalogue = catalogue
    this.hasChannelsAtFirst = hasChannelsAtFirst
    this.#byName.set(defaultUserName, this.#freshDefault())
    this.#decoy = new User('', catalogue, false)
    this.#decoy.apply(`#${'0'.repeat(64)}`)
    this.#refresh(this.default)
  }

  get default(): User {
    return this.#byName.get(defaultUserName) as User
  }

  get(name: string): User | undefined {
    return this.#byName.get(name)
  }

  /** In the order of their names. */
  get names(): string[] {
    return [...this.#byName.keys()].sort()
  }

  /** A line for each user. */
  get lines(): string[] {
    return this.names.map((name) => lineOf(this.#byName.get(name) as User))
  }

  /** What users do is counted (rates.ts), so that none is free of checks. */
  get isCounted(): boolean {
    return this.#isCounted
  }

  set isCounted(isCounted: boolean) {
    this.#isCounted = isCounted
    for (const user of this.#byName.values()) this.#refresh(user)
  }

  /** Makes or changes a user. Errors: `access.bad_name`, `access.open_parenthesis`, `access.bad_rule`; nothing has changed then. */
  set(name: string, rules: readonly string[]): void {
    if (blanks.test(name)) throw accessErrors.bad_name()
    const known = this.#byName.get(name)
    const changed = known?.clone(this.hasChannelsAtFirst) ?? new User(name, this.catalogue, this.hasChannelsAtFirst)
    for (const rule of joinSelectors(rules)) applyTo(changed, rule)
    const user = known ?? changed
    if (known === undefined) this.#byName.set(name, changed)
    else known.become(changed)
    this.#refresh(user)
    this.onChange(user)
  }

  /** False where there is none. */
  remove(name: string): boolean {
    const user = this.#byName.get(name)
    if (user === undefined || name === defaultUserName) return false
    this.#byName.delete(name)
    this.#retire(user)
    return true
  }

  /** The user whose password this is; undefined for a wrong one, and for a user who may not log in. */
  authenticate(name: string, password: Uint8Array): User | undefined {
    const user = this.#byName.get(name)
    if (user === undefined) {
      // As much work as for one who is there, so that the time does not tell which names exist.
      this.#decoy.hasPassword(password)
      return undefined
    }
    return user.hasPassword(password) && user.isEnabled ? user : undefined
  }

  /** The one password of the default user, as `requirepass` sets it; an empty one lets everybody in. */
  setDefaultPassword(password: string): void {
    this.set(defaultUserName, ['resetpass', password === '' ? 'nopass' : `>${password}`])
  }

  /**
   * Takes the users of a file in place of those there are. Error: `access.bad_file`, which names every wrong line; nothing
   * has changed then.
   */
  load(text: string): void {
    const { users: loaded, faults } = this.#read(text)
    if (faults.length > 0) throw accessErrors.bad_file({ faults: faults.join(' ') })
    const before = [...this.#byName.values()]
    if (!loaded.has(defaultUserName)) loaded.set(defaultUserName, this.#freshDefault())
    for (const user of before) {
      const now = loaded.get(user.name)
      if (now === undefined) {
        this.#byName.delete(user.name)
        this.#retire(user)
      } else user.become(now)
    }
    for (const [name, user] of loaded) {
      const kept = this.#byName.get(name) ?? user
      this.#byName.set(name, kept)
      this.#refresh(kept)
      this.onChange(kept)
    }
  }

  #read(text: string): { users: Map<string, User>; faults: string[] } {
    const users = new Map<string, User>()
    const faults: string[] = []
    for (const [index, line] of text.split('\n').entries()) {
      const words = line.split(/[ \t\r]+/).filter((word) => word !== '')
      if (words.length === 0 || words[0]?.startsWith('#')) continue
      const fault = this.#readLine(words, users)
      if (fault !== undefined) faults.push(`line ${index + 1}: ${fault}.`)
    }
    return { users, faults }
  }

  #readLine([word, name, ...rules]: string[], users: Map<string, User>): string | undefined {
    if (word?.toLowerCase() !== 'user' || name === undefined)
      return 'should start with user keyword followed by the username'
    if (blanks.test(name)) return accessErrors.bad_name().message
    if (users.has(name)) return `Duplicate user '${name}' found`
    const user = new User(name, this.catalogue, this.hasChannelsAtFirst)
    try {
      for (const rule of joinSelectors(rules)) applyTo(user, rule)
    } catch (error) {
      // The rule itself may hold a password, so its reason alone is told.
      return (error as { details?: { reason?: string } }).details?.reason ?? (error as Error).message
    }
    users.set(name, user)
    return undefined
  }

  #freshDefault(): User {
    const user = new User(defaultUserName, this.catalogue, true)
    for (const rule of ['on', 'nopass', 'allkeys', 'allcommands']) user.apply(rule)
    return user
  }

  #retire(user: User): void {
    user.apply('reset')
    user.isFree = false
    user.settle()
    this.onRemove(user)
  }

  #refresh(user: User): void {
    user.isFree = !this.#isCounted && user.allowsAll
    user.settle()
  }
}

function lineOf({ name, rules }: User): string {
  return `user ${name} ${rules.join(' ')}`
}

function applyTo(user: User, rule: string): void {
  try {
    user.apply(rule)
  } catch (error) {
    const shown = /^[<>]/.test(rule) ? `${rule[0]}***` : rule
    throw accessErrors.bad_rule({ rule: shown, reason: (error as Error).message }, error)
  }
}

/** A selector may come in several words: `( +get` `~key )`. */
function joinSelectors(words: readonly string[]): string[] {
  const rules: string[] = []
  let open: string | undefined
  for (const word of words) {
    if (open === undefined && word.startsWith('(') && !word.endsWith(')')) open = word
    else if (open === undefined) rules.push(word)
    else if (word.endsWith(')')) {
      rules.push(`${open} ${word}`)
      open = undefined
    } else open = `${open} ${word}`
  }
  if (open !== undefined) throw accessErrors.open_parenthesis({ rule: open.split(' ', 1)[0] as string })
  return rules
}
