/** What the tests of transactions share. For tests only; not part of the build. */

import type { Transaction } from './index.ts'

/** Settings under which nothing waits for the disk. */
export const withoutDisk = { settings: { durability: 'none' } } as const

/** A promise that the test resolves. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

export function add(tx: Transaction, key: string, amount: number): number {
  const sum = Number(text(tx, key) ?? 0) + amount
  tx.put(key, `${sum}`)
  return sum
}

export function text(tx: Transaction, key: string): string | undefined {
  return tx.view(key, (bytes, offset, length) =>
    Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString(),
  )
}
