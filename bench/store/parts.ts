/** The parts of the bench of the store, in the order in which they run. */

import { backup } from './backup.ts'
import { layer } from './layer.ts'
import { leases } from './leases.ts'
import type { Part } from './part.ts'
import { transactions } from './transactions.ts'
import { watch } from './watch.ts'

export const parts = { transactions, layer, watch, leases, backup } satisfies Readonly<Record<string, Part>>
