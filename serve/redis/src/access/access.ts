/**
 * The gatekeeper of the front: who a connection is, and what it may run.
 *
 * Every command is asked for before it runs or is queued, and again when EXEC runs it; for a user who may do
 * everything that is one boolean (executor.ts). What is refused is answered as Redis 7.0 words it, counted, and logged
 * for ACL LOG. No text that leaves here holds a password.
 */

import {
  type AccessLimits,
  accessConfig,
  Catalogue,
  type Denial,
  type DenialContext,
  DenialLog,
  type DenialReason,
  LoginGuard,
  Rates,
  textOf,
  type User,
  Users,
} from '@orbitkv/access'
import type { Clock } from '@orbitkv/runtime'
import { describeClient } from '../commands/client.ts'
import type { Call, Command } from '../commands/command.ts'
import { categoriesOf } from '../commands/introspection.ts'
import type { Log } from '../log.ts'
import type { Arguments } from '../protocol/arguments.ts'
import type { Session } from '../session.ts'
import { Uses, usesChannels, usesOf } from './key-uses.ts'
import { ourselves, stranger } from './people.ts'
import { changedRules, denialText, notLoggedIn, rateText, waitText, wrongPassword } from './refusals.ts'

/** Where users are kept; text in which each character is a byte. */
export interface UsersFile {
  readonly path: string
  /** Empty where there is no file yet. */
  read(): string
  /** Whole or not at all. */
  write(text: string): void
}

export interface AccessSettings {
  /** What differs from the defaults of @orbitkv/access. */
  readonly limits?: Partial<AccessLimits>
  readonly file?: UsersFile
  /** Of the default user; empty or absent for none. A file of users has the last word. */
  readonly password?: string
  /** New users may use every channel until a rule says otherwise. */
  readonly hasChannelsAtFirst?: boolean
}

export interface AccessOptions extends AccessSettings {
  readonly commands: Iterable<Command>
  readonly clock: Clock
  readonly log: Log
}

/** How often each kind of denial happened. */
export interface DenialCounts {
  auth: number
  command: number
  key: number
  channel: number
  rate: number
}

/** Names and objects in ACL LOG are cut to this, since clients choose them. */
const shownCharsMax = 128

export class Access {
  readonly users: Users
  readonly denials: DenialLog
  readonly denied: DenialCounts = { auth: 0, command: 0, key: 0, channel: 0, rate: 0 }
  readonly limits: AccessLimits
  readonly file: UsersFile | undefined
  readonly #guard: LoginGuard
  readonly #rates: Rates
  readonly #clock: Clock
  readonly #log: Log
  readonly #uses = new Uses()

  /** Errors: `access.bad_file`, and those of reading it. */
  constructor({ commands, clock, log, file, password = '', hasChannelsAtFirst = false, ...options }: AccessOptions) {
    const limits = accessConfig.parse({ ...options.limits })
    const all = [...commands]
    const entries = all.map((command) => ({
      name: command.fullName,
      classes: categoriesOf(command),
      isOpen: command.flags.includes('no_auth'),
      usesChannels: usesChannels(command),
    }))
    const catalogue = new Catalogue(entries)
    for (const command of all) command.right = catalogue.numberOf(command.fullName) ?? -1
    this.users = new Users({ catalogue, hasChannelsAtFirst })
    this.denials = new DenialLog(limits.deniedEntriesMax)
    this.limits = limits
    this.file = file
    this.#guard = new LoginGuard(limits)
    this.#rates = new Rates(limits)
    this.#clock = clock
    this.#log = log
    if (password !== '') this.users.setDefaultPassword(textOf(Buffer.from(password)))
    if (file !== undefined) this.#loadFile(file)
    this.limitsChanged()
  }

  #loadFile(file: UsersFile): void {
    const text = file.read()
    if (text !== '') this.users.load(text)
  }

  /** To be called after a change of `limits`. */
  limitsChanged(): void {
    this.users.isCounted = this.#rates.isOn
    this.denials.entriesMax = this.limits.deniedEntriesMax
  }

  /** Anybody who can connect may run commands: then only this machine may connect (protected mode). */
  get isOpenToAll(): boolean {
    const { default: user } = this.users
    return user.isEnabled && user.isOpen
  }

  /** Who a new connection is. */
  get newcomer(): User {
    return this.isOpenToAll ? this.users.default : stranger
  }

  /** Logs a session in; returns the error to answer, if it failed. */
  logIn(session: Session, name: string, password: Uint8Array, command: 'AUTH' | 'HELLO'): string | undefined {
    const nowMs = this.#clock.now()
    const address = session.remote.host
    const waitMs = this.#guard.waitMs(address, name, nowMs)
    if (waitMs > 0) {
      this.denied.auth++
      return waitText(waitMs)
    }
    const user = this.users.authenticate(name, password)
    if (user === undefined) {
      this.#note(session, 'auth', 'toplevel', command, name)
      if (this.#guard.failed(address, name, nowMs)) {
        this.#log('warn', `wrong passwords from ${address}: it has to wait before it may try again`)
      }
      return wrongPassword
    }
    this.#guard.succeeded(address, name)
    session.user = user
    return undefined
  }

  /** Undefined if the session may run it now; otherwise the error to answer. */
  refusal(command: Command, call: Call): string | undefined {
    const { session } = call
    const { user } = session
    if (user === stranger && !command.flags.includes('no_auth')) return notLoggedIn
    if (user !== stranger && !user.allowsAlways(command.right)) {
      const denial = this.#denial(command, call, session.transaction === undefined ? 'toplevel' : 'multi')
      if (denial !== undefined) return denialText(denial, command)
    }
    return this.users.isCounted ? this.#overRate(session) : undefined
  }

  /** As `refusal`, for a command that was queued and let in then. */
  refusalInTransaction(command: Command, call: Call): string | undefined {
    const denial = this.#denial(command, call, 'multi')
    return denial === undefined ? undefined : changedRules(denial)
  }

  /** As `refusal`, for a command of a script. */
  refusalInScript(command: Command, call: Call): string | undefined {
    const denial = this.#denial(command, call, 'lua')
    return denial === undefined ? undefined : denialText(denial, command)
  }

  /** As `refusal`, for a command that was let in and has waited since. */
  refusalAfterWait(command: Command, call: Call): string | undefined {
    const denial = this.#denial(command, call, 'toplevel')
    return denial === undefined ? undefined : denialText(denial, command)
  }

  /** Whether a user may run a command whatever it is about. */
  allowsAlways(user: User, fullName: string): boolean {
    return user.allowsAlways(this.users.catalogue.numberOf(fullName) ?? -1)
  }

  /** Bytes that came from a session, or went to it. */
  countBytes({ user, remote }: Session, bytes: number): void {
    if (!this.users.isCounted || user === ourselves) return
    this.#rates.count(countedName(user), remote.host, bytes, this.#clock.now())
  }

  /** What a user may not do of a command whose arguments begin at `offset`. */
  denialOf(user: User, command: Command, found: Arguments, offset = 0): Denial | undefined {
    const { right } = command
    // A command that nobody gave to the catalogue is nobody's.
    if (right < 0) return { reason: 'command', object: undefined }
    if (user.allowsAlways(right)) return undefined
    return user.denies(usesOf(command, found, offset, this.#uses))
  }

  #denial(command: Command, call: Call, context: DenialContext): Denial | undefined {
    const { session, arguments: found } = call
    const denial = this.denialOf(session.user, command, found)
    if (denial === undefined) return undefined
    const object = denial.object === undefined ? command.fullName : textOf(denial.object)
    this.#note(session, denial.reason, context, object, session.user.name)
    return denial
  }

  #overRate({ user, remote }: Session): string | undefined {
    const denial = this.#rates.admit(countedName(user), remote.host, this.#clock.now())
    if (denial === undefined) return undefined
    this.denied.rate++
    return rateText(denial)
  }

  #note(session: Session, reason: DenialReason, context: DenialContext, object: string, user: string): void {
    this.denied[reason]++
    const nowMs = this.#clock.now()
    this.denials.add(
      {
        reason,
        context,
        object: object.slice(0, shownCharsMax),
        user: user.slice(0, shownCharsMax),
        client: describeClient(session, nowMs),
      },
      nowMs,
    )
  }
}

/** Who has not logged in uses up nobody's share: it is shown as the default user, and is not. */
function countedName(user: User): string | undefined {
  return user === stranger ? undefined : user.name
}
