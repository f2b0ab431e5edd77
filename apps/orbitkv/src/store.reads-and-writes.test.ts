/** Reads and writes of the embedded store: what comes back, for every kind of key and value, and what is refused. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { type Change, putChange } from '@orbitkv/engine'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import { type Bytes, open, type Store } from './index.ts'
import { entriesOf, keysOf, read, storeTest } from './store-suite.ts'

describe('put, get, delete', () => {
  storeTest('what is put comes back, with the revision of its write', async ({ store }) => {
    assert.equal(store.get('a'), undefined)
    assert.equal(await store.put('a', '1'), 1)
    assert.equal(await store.put('b', '2'), 2)
    assert.equal(await store.put('a', '3'), 3)
    assert.deepEqual([read(store, 'a'), read(store, 'b')], ['3', '2'])
    assert.equal(store.stats().revision, 3)
  })

  storeTest('delete tells whether the key was there', async ({ store }) => {
    await store.put('a', '1')
    assert.equal(await store.delete('a'), true)
    assert.equal(await store.delete('a'), false)
    assert.equal(await store.delete('never'), false)
    assert.equal(store.has('a'), false)
    assert.equal(store.stats().revision, 2, 'deleting nothing takes no revision')
  })

  storeTest('a text and its UTF-8 bytes are one key', async ({ store }) => {
    for (const text of ['user:1', 'schlüssel', '鍵', '🪐', `${'long '.repeat(400)}é`]) {
      await store.put(text, text)
      assert.equal(read(store, encodeText(text)), text)
      await store.put(encodeText(text), Uint8Array.of(0, 255))
      assert.deepEqual(store.get(text), Uint8Array.of(0, 255))
    }
  })

  storeTest('the empty key and the empty value are there', async ({ store }) => {
    await store.put('', 'of nothing')
    await store.put('nothing', '')
    assert.equal(read(store, ''), 'of nothing')
    assert.equal(read(store, new Uint8Array(0)), 'of nothing')
    assert.deepEqual(store.get('nothing'), new Uint8Array(0))
    assert.equal(store.has('nothing'), true)
    assert.deepEqual(keysOf(store), ['', 'nothing'])
    assert.equal(await store.delete(''), true)
  })

  storeTest(
    'a value is the caller’s own: writing to it changes nothing, and no later read changes it',
    async ({ store }) => {
      for (const bytes of [3, 5000]) {
        await store.put('a', new Uint8Array(bytes).fill(1))
        await store.put('b', new Uint8Array(bytes).fill(2))
        const first = store.get('a') as Uint8Array
        const second = store.get('b') as Uint8Array
        first.fill(9)
        assert.deepEqual(store.get('a'), new Uint8Array(bytes).fill(1))
        assert.deepEqual(second, new Uint8Array(bytes).fill(2))
      }
    },
  )

  storeTest('a value cannot be moved to another thread from under the values beside it', async ({ store }) => {
    await store.put('a', 'one')
    const first = store.get('a') as Uint8Array<ArrayBuffer>
    const second = store.get('a') as Uint8Array
    assert.throws(() => structuredClone(first, { transfer: [first.buffer] }), { name: 'DataCloneError' })
    assert.equal(decodeText(second), 'one')
    assert.equal(read(store, 'a'), 'one')
  })

  storeTest('what is given may be changed as soon as put has returned', async ({ store }) => {
    const key = encodeText('key')
    const value = encodeText('value')
    const done = store.put(key, value)
    key.fill(0)
    value.fill(0)
    await done
    assert.equal(read(store, 'key'), 'value')
  })

  storeTest('a Buffer and a window of a larger array are keys and values', async ({ store }) => {
    await store.put(Buffer.from('key'), Buffer.from('value'))
    const wide = encodeText('..key..')
    assert.equal(read(store, wide.subarray(2, 5)), 'value')
    await store.put(wide.subarray(2, 4), wide.subarray(0, 2))
    assert.equal(read(store, 'ke'), '..')
  })

  storeTest('values of every size around the borders inside come back whole', async ({ store }) => {
    for (const bytes of [1, 127, 128, 129, 4095, 4096, 4097, 65_535, 65_536, 65_537, 2 ** 20]) {
      const value = new Random(bytes).bytes(bytes)
      await store.put('v', value)
      assert.deepEqual(store.get('v'), value)
      assert.deepEqual(await store.getAsync('v'), value)
    }
  })
})

describe('other reads', () => {
  storeTest('has, getMany and getAsync see what get sees', async ({ store }) => {
    await store.put('a', '1')
    await store.put('c', '3')
    assert.equal(store.has('a'), true)
    assert.equal(store.has('b'), false)
    assert.deepEqual(store.getMany(['a', 'b', 'c', 'a']), [
      encodeText('1'),
      undefined,
      encodeText('3'),
      encodeText('1'),
    ])
    assert.deepEqual(store.getMany([]), [])
    assert.deepEqual(await store.getAsync('a'), encodeText('1'))
    assert.equal(await store.getAsync('b'), undefined)
  })

  storeTest('getAsync goes to the disk for what is not in memory', async ({ store, disk }) => {
    for (let i = 0; i < 60; i++) await store.put(`k${i}`, `${i}`.repeat(1000))
    disk.readsAreResident = false
    disk.counts.reads = 0
    assert.deepEqual(await store.getAsync('k0'), encodeText('0'.repeat(1000)))
    assert.ok(disk.counts.reads > 0)
  })

  storeTest('view lends the value inside the callback and gives back what it returns', async ({ store }) => {
    await store.put('a', 'a value')
    const seen = store.view('a', (bytes, offset, length) => decodeText(bytes.subarray(offset, offset + length)))
    assert.equal(seen, 'a value')
    assert.equal(
      store.view('absent', () => assert.fail('there is nothing to see')),
      undefined,
    )
    assert.throws(
      () =>
        store.view('a', () => {
          throw new RangeError('of the caller')
        }),
      RangeError,
    )
    assert.equal(read(store, 'a'), 'a value')
  })
})

describe('batches', () => {
  storeTest('are written whole, at one revision, later changes over earlier ones', async ({ store }) => {
    await store.put('gone', 'x')
    const batch = store.batch().put('a', '1').put('b', '2').delete('gone').put('a', '3')
    assert.equal(batch.size, 4)
    assert.deepEqual(keysOf(store), ['gone'], 'nothing is written before the commit')
    assert.equal(await batch.commit(), 2)
    assert.deepEqual(keysOf(store), ['a', 'b'])
    assert.equal(read(store, 'a'), '3')
    for (const { revision } of store.range()) assert.equal(revision, 2)
  })

  storeTest('an empty one resolves to the revision there is', async ({ store }) => {
    assert.equal(await store.batch().commit(), 0)
    await store.put('a', '1')
    assert.equal(await store.batch().commit(), 1)
    assert.equal(store.stats().appendedPosition, 1, 'nothing was written')
  })

  storeTest('one is committed once', async ({ store }) => {
    const batch = store.batch().put('a', '1')
    await batch.commit()
    await assert.rejects(batch.commit(), { code: 'store.committed' })
    assert.throws(() => batch.put('b', '2'), { code: 'store.committed' })
    assert.throws(() => batch.delete('a'), { code: 'store.committed' })
  })

  storeTest('one with a change that is refused changes nothing', async ({ store }) => {
    await store.put('a', '1')
    const batch = store
      .batch()
      .put('a', '2')
      .delete('a')
      .put('b', new Uint8Array(2 ** 20 + 1))
    await assert.rejects(batch.commit(), { code: 'engine.value_too_large' })
    assert.equal(read(store, 'a'), '1')
    assert.deepEqual([store.stats().revision, store.stats().appendedPosition], [1, 1])
  })

  storeTest('a large one is larger than a segment', async ({ store, reopen }) => {
    const batch = store.batch()
    for (let i = 0; i < 500; i++) batch.put(`k${i}`, `${i}`.repeat(50))
    await batch.commit()
    const again = await reopen()
    assert.equal(keysOf(again).length, 500)
    assert.equal(read(again, 'k499'), '499'.repeat(50))
  })
})

describe('ranges', () => {
  const keys = ['', 'a', 'a\u0000', 'aa', 'ab', 'b', 'ba', 'c', 'é', '鍵', '🪐']

  async function fill(store: Store): Promise<void> {
    const batch = store.batch()
    for (const key of keys.toReversed()) batch.put(key, key)
    await batch.commit()
  }

  storeTest('are in the order of the bytes, forward and backward', async ({ store }) => {
    await fill(store)
    assert.deepEqual(keysOf(store), keys)
    assert.deepEqual(keysOf(store, {}), keys)
    assert.deepEqual(keysOf(store, { reverse: true }), keys.toReversed())
    for (const { key, value } of store.range()) assert.deepEqual(value, key)
  })

  storeTest('keep their bounds', async ({ store }) => {
    await fill(store)
    assert.deepEqual(keysOf(store, { gte: 'aa', lt: 'b' }), ['aa', 'ab'])
    assert.deepEqual(keysOf(store, { gt: 'aa', lte: 'b' }), ['ab', 'b'])
    assert.deepEqual(keysOf(store, { gt: 'a', lt: 'aa' }), ['a\u0000'])
    assert.deepEqual(keysOf(store, { gt: '', lte: 'a' }), ['a'])
    assert.deepEqual(keysOf(store, { gte: '', lte: '' }), [''])
    assert.deepEqual(keysOf(store, { lt: '' }), [])
    assert.deepEqual(keysOf(store, { gte: 'b', lt: 'b' }), [])
    assert.deepEqual(keysOf(store, { gte: 'c', lt: 'a' }), [])
    assert.deepEqual(keysOf(store, { gte: encodeText('c'), reverse: true }), ['🪐', '鍵', 'é', 'c'])
  })

  storeTest('of a prefix are the keys that begin with it', async ({ store }) => {
    await fill(store)
    assert.deepEqual(keysOf(store, { prefix: 'a' }), ['a', 'a\u0000', 'aa', 'ab'])
    assert.deepEqual(keysOf(store, { prefix: 'a', reverse: true, limit: 2 }), ['ab', 'aa'])
    assert.deepEqual(keysOf(store, { prefix: '' }), keys)
    assert.deepEqual(keysOf(store, { prefix: '鍵' }), ['鍵'])
    assert.deepEqual(keysOf(store, { prefix: 'zz' }), [])
    await store.put(Uint8Array.of(255, 255), 'last')
    await store.put(Uint8Array.of(255), 'but one')
    assert.equal(Array.from(store.range({ prefix: Uint8Array.of(255) })).length, 2)
    assert.equal(Array.from(store.range({ prefix: Uint8Array.of(255, 255) })).length, 1)
  })

  storeTest('end at their limit', async ({ store }) => {
    await fill(store)
    assert.deepEqual(keysOf(store, { limit: 0 }), [])
    assert.deepEqual(keysOf(store, { limit: 1 }), [''])
    assert.deepEqual(keysOf(store, { limit: 2, reverse: true }), ['🪐', '鍵'])
    assert.deepEqual(keysOf(store, { limit: 1000 }), keys)
  })

  storeTest('refuse options that contradict each other, with and without entries to show', async ({ store }) => {
    for (const limit of [undefined, 0, 3]) {
      const withLimit = limit === undefined ? {} : { limit }
      for (const options of [
        { prefix: 'a', gt: 'a' },
        { prefix: 'a', gte: 'a' },
        { prefix: '', lt: 'a' },
        { prefix: 'a', lte: '' },
        { gt: 'a', gte: 'a' },
        { gt: '', gte: '' },
        { lt: 'a', lte: 'a' },
      ]) {
        assert.throws(
          () => keysOf(store, { ...options, ...withLimit }),
          { code: 'store.bad_range' },
          JSON.stringify(options),
        )
      }
    }
    for (const limit of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => keysOf(store, { limit }), { code: 'store.bad_range' }, `limit ${limit}`)
    }
    assert.throws(() => keysOf(store, { gt: 5 as unknown as Bytes }), { code: 'store.bad_argument' })
  })

  storeTest('go on while keys come and go', async ({ store }) => {
    for (let i = 0; i < 300; i++) await store.put(`k${String(i).padStart(3, '0')}`, '')
    const seen: string[] = []
    for (const { key } of store.range()) {
      const text = decodeText(key)
      seen.push(text)
      await store.delete(key)
      await store.put(`a${text}`, 'behind the place')
    }
    assert.equal(seen.length, 300)
    assert.equal(new Set(seen).size, 300)
    assert.equal(keysOf(store, { prefix: 'ak' }).length, 300)
  })

  for (const seed of seedsFor('store-range', { kept: [1], fresh: 2 })) {
    storeTest(`agree with a sorted list, seed ${seed}`, async ({ store, reopen }) => {
      const random = new Random(seed)
      const twin = new Map<string, number>()
      const someKey = (): string =>
        Array.from({ length: random.below(5) }, () => random.pick(['a', 'b', '\u00ff', '鍵'])).join('')
      let current = store
      for (let step = 0; step < 300; step++) {
        const batch = current.batch()
        for (let i = random.between(1, 5); i > 0; i--) {
          const key = someKey()
          if (random.chance(3)) {
            batch.delete(key)
            twin.delete(key)
          } else {
            batch.put(key, `${step}`)
            twin.set(key, step)
          }
        }
        await batch.commit({ durability: 'none' })
        if (random.chance(100)) current = await reopen()
        const [low, high] = [someKey(), someKey()]
        const limit = random.below(20)
        const reverse = random.chance(2)
        const inside = [...twin.keys()]
          .filter(
            (key) =>
              Buffer.compare(Buffer.from(key), Buffer.from(low)) >= 0 &&
              Buffer.compare(Buffer.from(key), Buffer.from(high)) < 0,
          )
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) * (reverse ? -1 : 1))
        assert.deepEqual(keysOf(current, { gte: low, lt: high, limit, reverse }), inside.slice(0, limit))
        assert.deepEqual(
          keysOf(current, { prefix: low }).length,
          [...twin.keys()].filter((key) => key.startsWith(low)).length,
        )
      }
    })
  }
})

describe('bad arguments', () => {
  const notBytes = [5, null, undefined, {}, ['a'], true, new ArrayBuffer(3), new Uint16Array(2)] as unknown as Bytes[]

  storeTest('what is neither text nor bytes is refused by name, as key and as value', async ({ store }) => {
    for (const wrong of notBytes) {
      const refused = { code: 'store.bad_argument' }
      await assert.rejects(store.put(wrong, 'v'), refused)
      await assert.rejects(store.put('k', wrong), refused)
      await assert.rejects(store.delete(wrong), refused)
      await assert.rejects(store.getAsync(wrong), refused)
      assert.throws(() => store.get(wrong), refused)
      assert.throws(() => store.has(wrong), refused)
      assert.throws(() => store.view(wrong, () => 1), refused)
      assert.throws(() => store.getMany(['a', wrong]), refused)
      assert.throws(() => store.batch().put(wrong, 'v'), refused)
      assert.throws(() => store.batch().put('k', wrong), refused)
      assert.throws(() => store.batch().delete(wrong), refused)
    }
    assert.equal(store.stats().appendedPosition, 0)
  })

  storeTest('a durability that does not exist is refused, and nothing is written', async ({ store }) => {
    const durability = 'allways' as 'always'
    await assert.rejects(store.put('k', 'v', { durability }), { code: 'store.bad_argument' })
    await assert.rejects(store.batch().put('k', 'v').commit({ durability }), { code: 'store.bad_argument' })
    await assert.rejects(store.delete('k', { durability }), { code: 'store.bad_argument' })
    assert.equal(store.stats().appendedPosition, 0)
  })

  storeTest('a ttl that is no time is refused', async ({ store }) => {
    for (const ttl of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1000', null] as number[]) {
      await assert.rejects(store.put('k', 'v', { ttl }), { code: 'store.bad_ttl' }, `${ttl}`)
      assert.throws(() => store.batch().put('k', 'v', { ttl }), { code: 'store.bad_ttl' })
    }
    assert.equal(store.stats().appendedPosition, 0)
  })

  storeTest('keys and values that are too large are refused, the largest taken', async ({ store }) => {
    const key = 'k'.repeat(8192)
    await store.put(key, new Uint8Array(2 ** 20), { ttl: 1000 })
    assert.equal(store.get(key)?.length, 2 ** 20)
    await assert.rejects(store.put(`${key}k`, ''), { code: 'engine.key_too_large' })
    await assert.rejects(store.batch().delete(`${key}k`).commit(), { code: 'engine.key_too_large' })
    await assert.rejects(store.put('k', new Uint8Array(2 ** 20 + 1)), { code: 'engine.value_too_large' })
    assert.equal(store.get(`${key}k`), undefined, 'a key that cannot be there is not there')
    assert.equal(await store.delete(`${key}k`), false)
  })

  storeTest('a revision that is no number of a state is refused', ({ store }) => {
    for (const revision of [-1, 1.5, Number.NaN, '1' as unknown as number]) {
      assert.throws(() => store.snapshot({ revision }), { code: 'store.bad_argument' })
    }
  })

  storeTest(
    'valueBytesMax lets larger values in',
    async ({ store }) => {
      await store.put('k', new Uint8Array(2 ** 21).fill(7))
      assert.equal(store.get('k')?.length, 2 ** 21)
      await assert.rejects(store.put('k', new Uint8Array(2 ** 21 + 1)), { code: 'engine.value_too_large' })
    },
    { settings: { valueBytesMax: 2 ** 21 } },
  )
})

storeTest('what a server keeps under a key is read, and not written over', async ({ store, clock, reopen }) => {
  const [key, element] = [encodeText('hash'), encodeText('element')]
  const header = (expiresAt: number): Change => {
    const change = putChange(0, key, encodeText('header'), { expiresAt })
    change.tag = 1
    return change
  }
  const refused = { code: 'store.key_of_server' }
  const expectRefusals = async (of: Store): Promise<void> => {
    await assert.rejects(of.put('hash', 'x'), refused)
    await assert.rejects(of.delete('hash'), refused)
    await assert.rejects(of.batch().put('free', 'x').delete('hash').commit(), refused)
    await assert.rejects(
      of.transact((tx) => tx.put('hash', 'x')),
      refused,
    )
    assert.deepEqual(entriesOf(of), [['hash', 'header']])
  }
  store.owner.beginTurn()
  store.owner.write([header(0), putChange(32, element, element)])
  await store.flush()
  await expectRefusals(store)
  const again = await reopen()
  await expectRefusals(again)
  again.owner.beginTurn()
  again.owner.write([header(clock.now() + 1000)])
  await again.flush()
  await expectRefusals(again)
  clock.advance(2000)
  await again.put('hash', 'x')
  assert.deepEqual(entriesOf(again), [['hash', 'x']])
})

test('the backend memory needs no folder and leaves nothing', async () => {
  const store = await open('./nowhere', { backend: 'memory', clock: new SimulatedClock() })
  await store.put('a', '1')
  assert.equal(read(store, 'a'), '1')
  assert.equal(store.stats().details.disk, 'memory')
  assert.deepEqual((await store.verify()).faults, [])
  await store.close()
  const again = await open('./nowhere', { backend: 'memory', clock: new SimulatedClock() })
  assert.equal(again.get('a'), undefined)
  await again.close()
})
