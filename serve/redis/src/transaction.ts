/**
 * A transaction of a connection: commands that wait for EXEC, and keys that must not change until then.
 *
 * What must hold: EXEC writes one batch, or nothing. Its commands see what those before them have made, since they work
 * on changes that are pending over the store. A watched key is compared by its revision, so that watching costs nothing
 * to those who write.
 */

import type { Owner } from '@orbitkv/store'
import { PendingChanges } from './collections/pending.ts'
import { type Call, type Command, redisKeyspace } from './commands/command.ts'
import { Arguments } from './protocol/arguments.ts'
import { latin1 } from './protocol/text.ts'

interface Queued {
  readonly command: Command
  readonly arguments: Arguments
}

/** What a queued command takes beside its arguments, about. */
const queuedBytes = 400

export class Transaction {
  readonly commands: Queued[] = []
  /** Of all arguments, and of what holds them. */
  bytes = 0
  /** A command was refused, so that EXEC will refuse all. */
  isBroken = false

  queue(command: Command, found: Arguments): void {
    const kept = keepArguments(found)
    this.bytes += kept.bytes.length + queuedBytes
    this.commands.push({ command, arguments: kept })
  }
}

/** Arguments that outlive their command. */
export function keepArguments(found: Arguments): Arguments {
  const kept = new Arguments()
  const first = found.start(0)
  kept.bytes = found.bytes.slice(first, found.end(found.count - 1))
  kept.takeFrom(found, -first)
  return kept
}

/** Watched keys of a connection, behind a character for their database, each with the revision that it had; 0 where there was none. */
export type Watched = Map<string, number>

export function watchKey(call: Call, place: number): void {
  const { arguments: found, session } = call
  const start = found.start(place)
  const end = found.end(place)
  session.watched ??= new Map()
  const name = String.fromCharCode(session.database) + latin1(found.bytes, start, end)
  if (!session.watched.has(name)) session.watched.set(name, revisionOf(call.owner, found.bytes, start, end))
}

/** Whether a watched key is not what it was. */
export function hasChanged({ databases, session }: Call): boolean {
  for (const [name, revision] of session.watched ?? []) {
    const key = Buffer.from(name.slice(1), 'latin1')
    if (revisionOf(databases.ownerOf(name.charCodeAt(0)), key, 0, key.length) !== revision) return true
  }
  return false
}

function revisionOf(owner: Owner, key: Uint8Array, start: number, end: number): number {
  return owner.get(redisKeyspace, key, start, end)?.revision ?? 0
}

/** Runs commands on changes that are pending over the store, whatever their database, and writes them as one batch. */
export function runAtomically(call: Call, run: () => void): void {
  const { databases } = call
  const { base } = databases
  const changes = new PendingChanges(base)
  databases.base = changes
  databases.enter(call, call.session)
  let isDone = false
  try {
    run()
    databases.base = base
    changes.commit()
    isDone = true
  } finally {
    databases.base = base
    if (!isDone) databases.reread()
    databases.enter(call, call.session)
  }
}
