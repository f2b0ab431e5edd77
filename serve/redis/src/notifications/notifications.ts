/**
 * Key events: messages on channels that tell which keys were changed, and by what.
 *
 * What a command did is told by the keys that it has written (noting-owner.ts) and by its name (events.ts); what nobody's command
 * did, that a key's time was over or that it was evicted, is told by the store's watch. Both are sent behind the gate, so that what
 * an event tells is durable.
 *
 * What must hold: while no class is chosen nothing is noted, and commands pay one comparison; events of a command that failed, or of a
 * transaction that was not written, are never sent.
 */

import type { Keyspace } from '@orbitkv/engine'
import type { Clock } from '@orbitkv/runtime'
import type { Owner, Watcher, WatchOptions } from '@orbitkv/store'
import { usesOf } from '../access/key-uses.ts'
import { databaseCount, keyspaceAt } from '../collections/keyspaces.ts'
import { type Call, type Command, redisKeyspace } from '../commands/command.ts'
import type { Databases } from '../databases.ts'
import type { Log } from '../log.ts'
import { deliverNow } from '../messages.ts'
import type { ServerView } from '../view.ts'
import { type EventClass, readClasses, writeClasses, wrongClass } from './classes.ts'
import { eventsOf } from './events.ts'
import { type NotedChange, NotingOwner } from './noting-owner.ts'

export type OpenWatcher = (keyspace: Keyspace, options: WatchOptions, ready: () => void) => Watcher

export interface NotificationsOptions {
  readonly server: ServerView
  readonly databases: Databases
  readonly clock: Clock
  readonly log: Log
  /** Of the store; without it nobody tells of keys whose time is over. */
  readonly watch: OpenWatcher | undefined
  /** Runs something outside of commands, as a turn of its own or within the one that is open. */
  readonly inTurn: (run: () => void) => void
}

interface Message {
  readonly database: number
  readonly kind: EventClass
  readonly name: string
  readonly key: Uint8Array
}

export class Notifications {
  /** Whether any event is told. */
  isOn = false
  #classes: ReadonlySet<string> = new Set()
  readonly #options: NotificationsOptions
  /** Of the command at hand. */
  #noted: NotedChange[] = []
  /** Of the command at hand, what it told itself. */
  #told: Message[] = []
  /** Of commands that have ended, until they are sent. */
  #waiting: Message[] = []
  #missesBefore = 0
  /** By place of a database. */
  readonly #watchers = new Map<number, Watcher>()

  constructor(options: NotificationsOptions) {
    this.#options = options
  }

  /** As notify-keyspace-events has them. */
  get classes(): string {
    return writeClasses(this.#classes)
  }

  /** Returns what puts other classes into force, or what is wrong with them. */
  change(text: string): (() => void) | string {
    const classes = readClasses(text)
    return classes === undefined ? wrongClass : () => this.#use(classes)
  }

  #use(classes: ReadonlySet<string>): void {
    const { databases } = this.#options
    this.#classes = classes
    this.isOn = (classes.has('K') || classes.has('E')) && classes.size > 1
    databases.noting = this.isOn
      ? (base: Owner) => new NotingOwner(base, (change) => this.#noted.push(change))
      : undefined
    this.#watch()
  }

  stop(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  // ---- what commands do

  /** A command begins. */
  began(call: Call): void {
    this.#missesBefore = call.server.stats.keyspaceMisses
  }

  /** What the command at hand did to a key beside what its name and its writes tell; told behind that. */
  note({ session }: Call, kind: EventClass, name: string, key: Uint8Array): void {
    if (this.isOn) this.#told.push({ database: session.database, kind, name, key })
  }

  /** A command has ended well: its events wait for its reply. */
  ended(command: Command, call: Call): void {
    const noted = this.#noted
    if (noted.length > 0) {
      this.#noted = []
      for (const { kind, name, change } of eventsOf(command, call, noted)) {
        this.#add(this.#options.databases.databaseAt(change.place), kind, name, change.key)
      }
    }
    for (const { database, kind, name, key } of this.#told.splice(0)) this.#add(database, kind, name, key)
    if (this.#classes.has('m') && call.server.stats.keyspaceMisses > this.#missesBefore) this.#addMisses(command, call)
    if (this.#waiting.length > 0 && !call.isInTransaction) this.#options.server.later(() => this.#send())
  }

  /** The command at hand failed; with it, where it is a transaction, all of its commands. */
  failed(call: Call): void {
    this.#noted = []
    this.#told = []
    if (!call.isInTransaction) this.#waiting = []
  }

  #addMisses(command: Command, call: Call): void {
    for (const { bytes, start, end } of usesOf(command, call.arguments).keys) {
      if (call.owner.get(redisKeyspace, bytes, start, end) !== undefined) continue
      this.#add(call.session.database, 'm', 'keymiss', bytes.slice(start, end))
    }
  }

  #add(database: number, kind: EventClass, name: string, key: Uint8Array): void {
    if (this.#classes.has(kind)) this.#waiting.push({ database, kind, name, key })
  }

  #send(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const message of waiting) this.#tell(message)
  }

  #tell({ database, name, key }: Message): void {
    const { server } = this.#options
    const keyText = Buffer.from(key).toString('latin1')
    const about: [letter: string, channel: string, message: Uint8Array][] = [
      ['K', `__keyspace@${database}__:${keyText}`, Buffer.from(name)],
      ['E', `__keyevent@${database}__:${name}`, key],
    ]
    for (const [letter, channel, message] of about) {
      if (!this.#classes.has(letter)) continue
      const receivers = server.channels.receivers(channel)
      if (receivers.length > 0) deliverNow(server, receivers, { kind: 'message', channel, message })
      server.tellOtherWorkers({ kind: 'message', channel, message })
    }
  }

  // ---- what time does

  #watch(): void {
    const { watch } = this.#options
    const isWanted = this.isOn && (this.#classes.has('x') || this.#classes.has('e'))
    if (!isWanted) this.stop()
    else if (watch !== undefined && this.#watchers.size === 0) {
      for (let place = 0; place < databaseCount; place++) this.#watchPlace(watch, place)
    }
  }

  #watchPlace(watch: OpenWatcher, place: number): void {
    const { clock } = this.#options
    // Told in a turn of its own: a batch may be published in the middle of one.
    const ready = (): void => void clock.after(0, () => this.#take(watch, place))
    this.#watchers.set(place, watch(keyspaceAt(place, redisKeyspace), {}, ready))
  }

  #take(watch: OpenWatcher, place: number): void {
    const watcher = this.#watchers.get(place)
    if (watcher === undefined) return
    const { databases, inTurn, log } = this.#options
    inTurn(() => {
      try {
        for (let event = watcher.take(); event !== undefined; event = watcher.take()) {
          if (event.kind !== 'expire' && event.kind !== 'evict') continue
          const isExpiry = event.kind === 'expire'
          const database = databases.databaseAt(place)
          const kind = isExpiry ? 'x' : 'e'
          const name = isExpiry ? 'expired' : 'evicted'
          if (this.#classes.has(kind)) this.#tell({ database, kind, name, key: event.key })
        }
      } catch (error) {
        log('warn', 'events of keys whose time was over have been lost', error)
        watcher.close()
        this.#watchPlace(watch, place)
      }
    })
  }
}
