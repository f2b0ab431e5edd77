/** All commands: one list, in the order of the documentation. */

import { adminCommands } from './admin.ts'
import { bitCommands } from './bitmaps.ts'
import { blockingCommands } from './blocking.ts'
import { clientCommands } from './client.ts'
import type { CommandSpec } from './command.ts'
import { connectionCommands } from './connection.ts'
import { counterCommands } from './counters.ts'
import { expiryCommands } from './expiry.ts'
import { hashCommands } from './hashes.ts'
import { infoCommands } from './info.ts'
import { introspectionCommands } from './introspection.ts'
import { keyCommands } from './keys.ts'
import { listCommands } from './lists.ts'
import { objectCommands } from './object.ts'
import { pubsubCommands } from './pubsub.ts'
import { rangeCommands } from './ranges.ts'
import { renameCommands } from './rename.ts'
import { setCommands } from './sets.ts'
import { sortedSetRangeCommands } from './sorted-set-ranges.ts'
import { sortedSetCommands } from './sorted-sets.ts'
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
    ...blockingCommands,
    ...keyCommands,
    ...renameCommands,
    ...objectCommands,
    ...valueCommands,
    ...expiryCommands,
    ...transactionCommands,
    ...pubsubCommands,
    ...connectionCommands,
    ...clientCommands,
    ...infoCommands,
    ...adminCommands,
    ...introspectionCommands(() => table),
  ]
  const table = commandTable(rows)
  return table
}
