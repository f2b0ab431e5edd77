/**
 * The sixteen databases of SELECT. Each has keyspaces of its own, with its collections and their reaper; commands do not know
 * of it, since they are given an owner's door that leads there.
 *
 * SWAPDB changes which keyspaces a database has, and nothing else: one record. So a database has a *place*, which is its own
 * number until it is swapped. At place 0 are the keys that the embedded API sees, and the door to it is the store's own, so that
 * nothing comes between it and the commands.
 *
 * What must hold: `call.owner` and `call.collections` are those of the database of `call.session` whenever a command runs.
 */

import { type Change, copyValue, deleteRangeChange, putChange } from '@orbitkv/engine'
import type { Clock } from '@orbitkv/runtime'
import type { Owner } from '@orbitkv/store'
import { Collections } from './collections/collections.ts'
import {
  databaseCount,
  databasesKeyspace,
  elementKeyspace,
  graveKeyspace,
  keyspaceAt,
} from './collections/keyspaces.ts'
import { Reaper } from './collections/reaper.ts'
import type { Call } from './commands/command.ts'
import { DatabaseDoor } from './database-door.ts'
import type { Session } from './session.ts'

/** What stands at a place. */
interface Contents {
  /** Undefined at place 0. */
  readonly door: DatabaseDoor | undefined
  readonly collections: Collections
  readonly reaper: Reaper
}

const placesKey = new Uint8Array(0)
const firstKey = new Uint8Array(0)

export class Databases {
  /** Called with a key of a database that was written, from which a blocked client may now take something. */
  onReady: (database: number, key: Uint8Array) => void = () => {}
  /** Called, apart from any command, with a key of a collection whose time is over. */
  onOver: (database: number, key: Uint8Array) => void = () => {}
  readonly #store: Owner
  readonly #clock: Clock
  readonly #contents: (Contents | undefined)[] = []
  /** By database. */
  #places: number[]
  /** The store's, or that of the transaction that runs. */
  #base: Owner
  /** What notes what commands do, over `#base`; `#base` itself where nothing does. */
  #top: Owner
  #noting: ((base: Owner) => Owner) | undefined

  constructor(owner: Owner, clock: Clock) {
    this.#store = owner
    this.#base = owner
    this.#top = owner
    this.#clock = clock
    this.#places = readPlaces(owner)
    // What a stop left to take away goes on being taken away, whoever comes.
    for (let place = 0; place < databaseCount; place++) {
      if (place === 0 || owner.count(keyspaceAt(place, graveKeyspace)) > 0) this.#at(place)
    }
  }

  /** Makes a call one of this session, with what is of its database. */
  enter(call: Call, session: Session): void {
    const contents = this.#at(this.#places[session.database] as number)
    call.session = session
    call.owner = contents.door ?? this.#top
    call.collections = contents.collections
  }

  /** The collections of a database: their pending changes are the caller's to commit. */
  collectionsOf(database: number): Collections {
    return this.#at(this.#places[database] as number).collections
  }

  /** The owner's door to a database. */
  ownerOf(database: number): Owner {
    return this.#at(this.#places[database] as number).door ?? this.#top
  }

  /** The owner's door to all keyspaces by their own numbers: the store's, or that of the transaction that runs. */
  get base(): Owner {
    return this.#base
  }

  /** Lets everything that commands do go to `base`, until it is told otherwise. */
  set base(base: Owner) {
    this.#base = base
    this.#top = this.#noting?.(base) ?? base
    const top = this.#top
    for (const contents of this.#contents) {
      if (contents === undefined) continue
      if (contents.door === undefined) contents.collections.pending.base = top
      else contents.door.base = top
    }
  }

  /** Puts a door over the store and over every transaction, through which commands then go; undefined for none. */
  set noting(noting: ((base: Owner) => Owner) | undefined) {
    this.#noting = noting
    this.base = this.#base
  }

  /** Which database has a place now. */
  databaseAt(place: number): number {
    return this.#places.indexOf(place)
  }

  /** The keyspace in which the keys of a database are. */
  keyspaceOf(database: number): number {
    return keyspaceAt(this.#places[database] as number, 0)
  }

  /** Exchanges the keys of two databases, for all clients at once. */
  swap(one: number, other: number): void {
    const places = this.#places.slice()
    places[one] = this.#places[other] as number
    places[other] = this.#places[one] as number
    this.#base.write([putChange(databasesKeyspace, placesKey, Uint8Array.from(places))])
    this.#places = places
  }

  /** As they were before a transaction that was refused. */
  reread(): void {
    this.#places = readPlaces(this.#base)
  }

  /** Deletes every key of these databases, as one batch. */
  empty(databases: readonly number[]): void {
    const changes: Change[] = []
    for (const database of databases) {
      const place = this.#places[database] as number
      const hasElements = this.#at(place).collections.any
      // One that has no keys has no elements that any key leads to either; those on their way out are the reaper's.
      if (place !== 0 && this.#base.count(keyspaceAt(place, 0)) === 0) continue
      for (const keyspace of hasElements ? [0, elementKeyspace, graveKeyspace] : [0]) {
        changes.push(deleteRangeChange(keyspaceAt(place, keyspace), firstKey))
      }
    }
    if (changes.length > 0) this.#base.write(changes)
  }

  /** What a command that failed has made in any of them. */
  drop(): void {
    for (const contents of this.#contents) contents?.collections.pending.drop()
  }

  stop(): void {
    for (const contents of this.#contents) contents?.reaper.stop()
  }

  #at(place: number): Contents {
    const known = this.#contents[place]
    if (known !== undefined) return known
    // Generations are reserved, and elements reaped, apart from any transaction.
    const owner = place === 0 ? this.#store : new DatabaseDoor(this.#store, place)
    const door = place === 0 ? undefined : new DatabaseDoor(this.#top, place)
    const collections = new Collections(owner)
    collections.pending.base = door ?? this.#top
    const reaper = new Reaper(owner, this.#clock)
    collections.onGrave = (at) => reaper.note(at)
    reaper.onOver = (key) => this.onOver(this.databaseAt(place), key)
    collections.onReady = (key) => this.onReady(this.databaseAt(place), key)
    const contents = { door, collections, reaper }
    this.#contents[place] = contents
    return contents
  }
}

function readPlaces(owner: Owner): number[] {
  const record = owner.get(databasesKeyspace, placesKey, 0, 0)
  return record === undefined ? Array.from({ length: databaseCount }, (_, place) => place) : [...copyValue(record)]
}
