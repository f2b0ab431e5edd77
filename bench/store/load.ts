/** Filling a store with the data of the bench. */

import type { Store } from 'orbitkv'
import { type Data, loadBatch } from './data.ts'

/** Puts every key once, in batches that are awaited one after the other; `version` picks the values. */
export async function loadStore(store: Store, data: Data, version = 0): Promise<void> {
  for (let from = 0; from < data.count; from += loadBatch) {
    const batch = store.batch()
    for (let i = from; i < Math.min(from + loadBatch, data.count); i++) batch.put(data.key(i), data.value(i + version))
    await batch.commit()
  }
}
