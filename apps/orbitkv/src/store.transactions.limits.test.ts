/** Transactions that are refused by name: misuse, limits, a closed store, a full disk. */

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { type Transaction, transactionLimits } from './index.ts'
import { keysOf, storeTest } from './store-suite.ts'
import { gate, text, withoutDisk } from './transactions-suite.ts'

describe('misuse and limits', () => {
  storeTest('one that has ended is refused by name', async ({ store }) => {
    await store.put('a', '1')
    let leaked: Transaction | undefined
    let entries: Iterator<unknown> | undefined
    await store.transact((tx) => {
      leaked = tx
      entries = tx.range()[Symbol.iterator]()
      entries.next()
    })
    const tx = leaked as Transaction
    const refused = { code: 'store.transaction_ended' }
    const uses = [() => tx.get('a'), () => tx.view('a', () => 1), () => tx.has('a'), () => tx.getMany(['a'])]
    const writes = [() => tx.put('a', '1'), () => tx.delete('a'), () => [...tx.range()], () => entries?.next()]
    for (const use of [...uses, ...writes]) assert.throws(use, refused)
  })

  storeTest('writing past the transaction inside its function is refused by name', async ({ store }) => {
    const refused = { code: 'store.inside_transaction' }
    const inner: Promise<unknown>[] = []
    await store.transact((tx) => {
      tx.put('a', '1')
      inner.push(
        store.put('b', '1'),
        store.batch().put('b', '1').commit(),
        store.transact(() => 1),
        store.transact(async (inside) => inside.put('b', '1')),
      )
      assert.throws(() => store.owner.write([]), refused)
    })
    for (const promise of inner) await assert.rejects(promise, refused)
    assert.deepEqual(keysOf(store), ['a'])
    await store.put('b', '2')
  })

  storeTest('what is no function is refused, and a read-only one does not write', async ({ store }) => {
    await assert.rejects(store.transact('x' as never), { code: 'store.bad_argument' })
    const writes = [(tx: Transaction) => tx.put('a', '1'), (tx: Transaction) => tx.delete('a')]
    for (const write of writes) {
      await assert.rejects(store.transact(write, { readOnly: true }), { code: 'store.transaction_read_only' })
    }
    await assert.rejects(
      store.transact((tx) => tx.put('a', 7 as never)),
      { code: 'store.bad_argument' },
    )
    await assert.rejects(
      store.transact((tx) => tx.put('a', '1', { ttl: 0 })),
      { code: 'store.bad_ttl' },
    )
    await assert.rejects(
      store.transact((tx) => tx.put('k'.repeat(9000), '')),
      { code: 'engine.key_too_large' },
    )
    assert.deepEqual(keysOf(store), [])
  })

  storeTest('a closed store ends them by name', async ({ store }) => {
    await store.put('a', '1')
    const { open, opened } = gate()
    const running = store.transact(async (tx) => {
      tx.put('a', '2')
      await opened
      return tx.get('a')
    })
    const silent = store.transact(async (tx) => {
      tx.put('a', '2')
      await opened
    })
    await store.close()
    open()
    await assert.rejects(running, { code: 'store.closed' })
    await assert.rejects(silent, { code: 'store.closed' })
    await assert.rejects(
      store.transact(() => 1),
      { code: 'store.closed' },
    )
  })

  storeTest(
    'one whose state is no longer kept fails by name, and one that read all it needs does not',
    async ({ store, clock }) => {
      await store.put('a', '1')
      const { open, opened } = gate()
      const old = store.transact(async (tx) => {
        await opened
        return tx.get('a')
      })
      const ranging = store.transact(async (tx) => {
        for (const _ of tx.range()) await opened
      })
      const content = store.transact(async (tx) => {
        tx.get('a')
        await opened
        tx.put('c', '1')
      })
      await store.put('b', '2')
      await clock.advanceAwaiting(5000)
      open()
      await assert.rejects(old, { code: 'store.transaction_too_old', details: { revision: 1, oldest: 2 } })
      await assert.rejects(ranging, { code: 'store.transaction_too_old' })
      await content
      assert.deepEqual(keysOf(store), ['a', 'b', 'c'])
    },
    { settings: { historyMs: 0, durability: 'none' } },
  )

  storeTest('one that is too large fails by name', async ({ store }) => {
    const refused = { code: 'store.transaction_too_large' }
    const { bytesMax, readsMax, rangesMax } = transactionLimits
    const value = new Uint8Array(1024 * 1024)
    const manyBytes = (tx: Transaction): void => {
      for (let i = 0; i * value.length <= bytesMax; i++) tx.put(`${i}`, value)
    }
    await assert.rejects(store.transact(manyBytes), { ...refused, message: /bytes/ })
    const manyReads = (tx: Transaction): void => {
      for (let i = 0; i <= readsMax; i++) tx.has(`${i}`)
    }
    await assert.rejects(store.transact(manyReads), { ...refused, message: /reads/ })
    await store.transact(manyReads, { readOnly: true })
    const manyRanges = (tx: Transaction): void => {
      for (let i = 0; i <= rangesMax; i++) for (const _ of tx.range()) break
    }
    await assert.rejects(store.transact(manyRanges), { ...refused, message: /ranges/ })
    assert.deepEqual(keysOf(store), [])
  })

  storeTest(
    'ten thousand are open at once',
    async ({ store }) => {
      await store.put('shared', '1')
      const { open, opened } = gate()
      const running = Array.from({ length: 10_000 }, (_, i) =>
        store.transact(async (tx) => {
          const shared = text(tx, 'shared')
          await opened
          tx.put(`own-${i}`, `${shared}`)
        }),
      )
      assert.equal(store.stats().transactionsOpen, 10_000)
      open()
      await Promise.all(running)
      const { transactionsOpen, transactionConflicts } = store.stats()
      assert.deepEqual([keysOf(store).length, transactionsOpen, transactionConflicts], [10_001, 0, 0])
    },
    withoutDisk,
  )

  storeTest(
    'no more are open than the limit says',
    async ({ store }) => {
      const { open, opened } = gate()
      const running = Array.from({ length: transactionLimits.openMax }, () => store.transact(() => opened))
      await assert.rejects(
        store.transact(() => 1),
        { code: 'store.transactions_open' },
      )
      open()
      await Promise.all(running)
      assert.equal(await store.transact(() => 1), 1)
    },
    withoutDisk,
  )

  storeTest(
    'a full disk refuses them, and nothing is written',
    async ({ store }) => {
      await store.put('a', '1')
      const value = new Uint8Array(10_000)
      const filling = store.transact((tx) => {
        for (let i = 0; i < 100; i++) tx.put(`${i}`, value)
      })
      await assert.rejects(filling, { code: 'engine.full' })
      assert.deepEqual([keysOf(store), store.stats().transactionsOpen], [['a'], 0])
    },
    { disk: { capacityBytes: 512 * 1024 } },
  )
})
