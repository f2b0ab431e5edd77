/** All commands: one list, in the order of the documentation. */

import { adminCommands } from './admin.ts'
import { clientCommands } from './client.ts'
import type { CommandSpec } from './command.ts'
import { connectionCommands } from './connection.ts'
import { counterCommands } from './counters.ts'
import { expiryCommands } from './expiry.ts'
import { infoCommands } from './info.ts'
import { introspectionCommands } from './introspection.ts'
import { keyCommands } from './keys.ts'
import { rangeCommands } from './ranges.ts'
import { stringCommands } from './strings.ts'
import { type CommandTable, commandTable } from './table.ts'

/** A table for one server, with counters of its own. */
export function allCommands(): CommandTable {
  const rows: readonly CommandSpec[] = [
    ...stringCommands,
    ...rangeCommands,
    ...counterCommands,
    ...keyCommands,
    ...expiryCommands,
    ...connectionCommands,
    ...clientCommands,
    ...infoCommands,
    ...adminCommands,
    ...introspectionCommands(() => table),
  ]
  const table = commandTable(rows)
  return table
}
