/** All commands: one list, in the order of the documentation. */

import { orbitCommands } from '../orbit/commands.ts'
import { orbitWatchCommands } from '../orbit/watch-commands.ts'
import { aclCommands } from './acl.ts'
import { adminCommands } from './admin.ts'
import { authCommands } from './auth.ts'
import { bitCommands } from './bitmaps.ts'
import { blockingCommands } from './blocking.ts'
import { clientCommands } from './client.ts'
import { clusterCommands } from './cluster.ts'
import type { Command, CommandSpec } from './command.ts'
import { connectionCommands } from './connection.ts'
import { counterCommands } from './counters.ts'
import { databaseCommands } from './databases.ts'
import { debugCommands } from './debug.ts'
import { expiryCommands } from './expiry.ts'
import { geoCommands } from './geo.ts'
import { hashCommands } from './hashes.ts'
import { infoCommands } from './info.ts'
import { introspectionCommands } from './introspection.ts'
import { keyCommands } from './keys.ts'
import { latencyCommands } from './latency.ts'
import { listCommands } from './lists.ts'
import { lolwutCommands } from './lolwut.ts'
import { memoryCommands } from './memory.ts'
import { objectCommands } from './object.ts'
import { pubsubCommands } from './pubsub.ts'
import { rangeCommands } from './ranges.ts'
import { renameCommands } from './rename.ts'
import { replicationCommands } from './replication.ts'
import { savingCommands } from './saving.ts'
import { scriptingCommands } from './scripting.ts'
import { setCommands } from './sets.ts'
import { slowlogCommands } from './slowlog.ts'
import { sortedSetRangeCommands } from './sorted-set-ranges.ts'
import { sortedSetCommands } from './sorted-sets.ts'
import { streamGroupCommands } from './stream-groups.ts'
import { streamCommands } from './streams.ts'
import { stringCommands } from './strings.ts'
import { type CommandTable, commandTable } from './table.ts'
import { transactionCommands } from './transactions.ts'
import { valueCommands } from './values.ts'

/** A table for one server, with counters of its own. */
export function allCommands(): CommandTable {
  const rows: readonly CommandSpec[] = [
    ...stringCommands,
    ...rangeCommands,
    ...counterCommands,
    ...bitCommands,
    ...hashCommands,
    ...listCommands,
    ...setCommands,
    ...sortedSetCommands,
    ...sortedSetRangeCommands,
    ...geoCommands,
    ...streamCommands,
    ...streamGroupCommands,
    ...blockingCommands,
    ...keyCommands,
    ...renameCommands,
    ...databaseCommands,
    ...objectCommands,
    ...valueCommands,
    ...expiryCommands,
    ...transactionCommands,
    ...scriptingCommands,
    ...pubsubCommands,
    ...connectionCommands,
    ...authCommands,
    ...aclCommands(() => table),
    ...clientCommands,
    ...infoCommands,
    ...adminCommands,
    ...savingCommands,
    ...slowlogCommands,
    ...latencyCommands((name) => find(name)),
    ...memoryCommands,
    ...replicationCommands,
    ...clusterCommands,
    ...debugCommands,
    ...lolwutCommands,
    ...orbitCommands((name) => find(name)),
    ...orbitWatchCommands,
    ...introspectionCommands(() => table),
  ]
  const table = commandTable(rows)
  const find = (name: string): Command | undefined => {
    const [container = '', subcommand] = name.split('|')
    const command = table.get(container)
    return subcommand === undefined ? command : command?.byName?.get(subcommand)
  }
  return table
}
