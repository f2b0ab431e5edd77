/** LevelDB folders and LMDB environments for tests, made by the packages themselves. */

import { Random } from '@orbitkv/base'
import { ClassicLevel } from 'classic-level'
import { open as openLmdb } from 'lmdb'
import { open } from 'orbitkv'

/** As latin1, so that bytes compare. */
export type Entries = Map<string, string>

export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
export const sorted = (entries: Entries): [string, string][] => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))

/** Everything in a store, orbit's own keys included; in key order. */
export async function contents(path: string): Promise<[string, string][]> {
  const store = await open(path, { createIfMissing: false })
  const found = [...store.range()].map(({ key, value }): [string, string] => [latin1(key), latin1(value)])
  await store.close()
  return found
}

/** Keys and values of any bytes, of many sizes, from a seed. */
export function someEntries(count: number, seed: number): Entries {
  const random = new Random(seed)
  const entries: Entries = new Map([
    ['\0', ''],
    ['\xff\xff', 'last'],
    ['text', 'grüße'],
  ])
  while (entries.size < count) {
    const bytes = random.below(50) === 0 ? random.below(20_000) : random.below(120)
    entries.set(latin1(random.bytes(random.between(1, 40))), latin1(random.bytes(bytes)))
  }
  return entries
}

/** Open still; the caller closes it. */
export async function fillLevel(path: string, entries: Entries): Promise<ClassicLevel<Buffer, Buffer>> {
  const level = new ClassicLevel<Buffer, Buffer>(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  await level.open()
  const batch = [...entries].map(([key, value]) => ({
    type: 'put' as const,
    key: Buffer.from(key, 'latin1'),
    value: Buffer.from(value, 'latin1'),
  }))
  await level.batch(batch)
  return level
}

export const asBytes = { keyEncoding: 'binary', encoding: 'binary' } as const

/** `name` is that of a database inside; the main one if absent. */
export async function fillLmdb(path: string, entries: Entries, name?: string): Promise<void> {
  const root = openLmdb<Buffer, Buffer>({ path, noSubdir: false, ...asBytes })
  const database = name === undefined ? root : root.openDB<Buffer, Buffer>(name, asBytes)
  await database.transaction(() => {
    for (const [key, value] of entries) void database.put(Buffer.from(key, 'latin1'), Buffer.from(value, 'latin1'))
  })
  await root.close()
}
