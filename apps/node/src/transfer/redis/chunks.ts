/**
 * The elements of one collection in chunks of bounded bytes, whatever their number: how many are asked for follows from
 * how large the last ones were.
 */

import { KiB } from '@orbitkv/base'
import type { Argument } from '../../targets/resp.ts'
import type { Door } from './door.ts'

const chunkBytesWanted = 512 * KiB
const countFirst = 64
const countMax = 1024

/** How many elements to ask for next. */
export class ChunkSize {
  count = countFirst

  saw(items: readonly Uint8Array[]): void {
    if (items.length === 0) return
    const bytes = items.reduce((sum, item) => sum + item.length, 0)
    const wanted = Math.floor((this.count * chunkBytesWanted) / Math.max(bytes, 1))
    this.count = Math.min(Math.max(wanted, 1), 2 * this.count, countMax)
  }
}

/** Pages of HSCAN, SSCAN or ZSCAN: each element at least once, with its value or score behind it where it has one. */
export async function* scanned(door: Door, command: Argument, key: Uint8Array): AsyncGenerator<Uint8Array[]> {
  const size = new ChunkSize()
  let cursor = '0'
  do {
    const page = await door.scan(command, key, cursor, 'COUNT', String(size.count))
    cursor = page.cursor
    size.saw(page.items)
    if (page.items.length > 0) yield page.items
  } while (cursor !== '0')
}

/** The items of a list from `start` on, with the place of the first of each chunk. */
export async function* listed(
  door: Door,
  key: Uint8Array,
  start: number,
): AsyncGenerator<{ readonly place: number; readonly items: Uint8Array[] }> {
  const size = new ChunkSize()
  for (let place = start; ; ) {
    const items = await door.many('LRANGE', key, String(place), String(place + size.count - 1))
    if (items.length === 0) return
    size.saw(items)
    yield { place, items }
    place += items.length
  }
}
