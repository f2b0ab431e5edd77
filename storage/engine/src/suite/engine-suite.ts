/**
 * The contract of an engine as tests, one behaviour a test. An engine's package calls `engineSuite` with a way to make
 * one; what the engine declares that it cannot do is skipped by name.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeText } from '@orbitkv/bytes'
import { deleteChange, deleteRangeChange, putChange } from '../change.ts'
import { type At, type Change, type CommittedBatch, type Engine, latest, published, type Range } from '../contract.ts'
import { defaultLimits } from '../limits.ts'
import { copyKey, copyValue, type RecordView } from '../record.ts'
import { runModel } from './model.ts'

export interface EngineHarness {
  readonly engine: Engine
  /** Closes the engine and opens it again from what it left. */
  readonly reopen: (engine: Engine) => Promise<Engine>
  readonly check?: (engine: Engine) => void
}

const decoder = new TextDecoder()

function put(key: string, value: string): Change {
  return putChange(0, encodeText(key), encodeText(value))
}

function remove(key: string): Change {
  return deleteChange(0, encodeText(key))
}

/** Appends one batch at the next revision, and publishes it. */
function commit(engine: Engine, ...changes: Change[]): number {
  engine.append({ changes, revision: engine.appendedRevision + 1, time: 1000 + engine.appendedRevision })
  engine.write()
  engine.publish(engine.appendedPosition)
  return engine.appendedRevision
}

function find(engine: Engine, key: string, at: At = published): RecordView | undefined {
  const bytes = encodeText(key)
  return engine.get(0, bytes, 0, bytes.length, at)
}

function read(engine: Engine, key: string, at: At = published): string | undefined {
  const record = find(engine, key, at)
  return record === undefined ? undefined : decoder.decode(copyValue(record))
}

function keysOf(engine: Engine, range: Range, keyspace = 0): string[] {
  return Array.from(engine.range(keyspace, range), (record) => decoder.decode(copyKey(record)))
}

export function engineSuite(name: string, open: () => Promise<EngineHarness>, seeds: readonly number[]): void {
  const withEngine = (title: string, body: (engine: Engine, harness: EngineHarness) => Promise<void> | void): void => {
    test(title, async () => {
      const harness = await open()
      try {
        await body(harness.engine, harness)
        harness.check?.(harness.engine)
      } finally {
        await harness.engine.close()
      }
    })
  }

  describe(`engine contract: ${name}`, () => {
    withEngine('an empty engine has no keys, position 0 and revision 0', (engine) => {
      assert.equal(read(engine, 'a'), undefined)
      assert.deepEqual(keysOf(engine, {}), [])
      assert.deepEqual([engine.appendedPosition, engine.publishedPosition, engine.appendedRevision], [0, 0, 0])
    })

    withEngine('a put is read back, the empty key and the empty value too', (engine) => {
      commit(engine, put('a', '1'), put('', 'empty key'), put('b', ''))
      assert.equal(read(engine, 'a'), '1')
      assert.equal(read(engine, ''), 'empty key')
      assert.equal(read(engine, 'b'), '')
      assert.deepEqual(keysOf(engine, {}), ['', 'a', 'b'])
    })

    withEngine('the longest key and value are taken, longer ones refused by name with nothing changed', (engine) => {
      const key = new Uint8Array(defaultLimits.keyBytesMax).fill(1)
      const value = new Uint8Array(defaultLimits.valueBytesMax).fill(2)
      commit(engine, putChange(0, key, value))
      assert.equal(engine.get(0, key, 0, key.length)?.valueBytes, value.length)
      const longKey = putChange(0, new Uint8Array(key.length + 1), value)
      const longValue = putChange(0, key, new Uint8Array(value.length + 1))
      assert.throws(() => commit(engine, put('x', '1'), longKey), { code: 'engine.key_too_large' })
      assert.throws(() => commit(engine, put('x', '1'), longValue), { code: 'engine.value_too_large' })
      assert.equal(read(engine, 'x', latest), undefined)
      assert.equal(engine.appendedPosition, 1)
    })

    withEngine('a batch with too many records or bytes is refused by name', (engine) => {
      const append = (changes: Change[]): number => engine.append({ changes, revision: 1, time: 0 })
      const many = new Array<Change>(defaultLimits.batchRecordsMax + 1).fill(put('k', 'v'))
      assert.throws(() => append(many), { code: 'engine.batch_too_large' })
      const large = putChange(0, encodeText('k'), new Uint8Array(defaultLimits.valueBytesMax))
      const bytes = new Array<Change>(defaultLimits.batchBytesMax / defaultLimits.valueBytesMax).fill(large)
      assert.throws(() => append(bytes), { code: 'engine.batch_too_large' })
      assert.equal(engine.appendedPosition, 0)
    })

    withEngine('a key with a window is the bytes of its window', (engine) => {
      const change = putChange(0, encodeText('..key..'), encodeText('<value>'))
      change.keyStart = 2
      change.keyEnd = 5
      change.valueStart = 1
      change.valueEnd = 6
      commit(engine, change)
      assert.equal(read(engine, 'key'), 'value')
      const padded = encodeText('xkeyx')
      assert.equal(engine.get(0, padded, 1, 4)?.valueBytes, 5)
    })

    withEngine('prefetching keys, there or not, changes nothing', (engine) => {
      commit(engine, put('a', '1'), put('b', '2'))
      commit(engine, remove('b'), deleteRangeChange(0, encodeText('x')))
      const bytes = encodeText('abxyz')
      const spans = Uint32Array.of(0, 1, 1, 2, 2, 5, 5, 5)
      engine.prefetch(0, bytes, spans, 4)
      engine.prefetch(7, bytes, spans, 0)
      const many = Uint32Array.from({ length: 2000 }, (_, i) => (i >> 1) % 5)
      engine.prefetch(0, bytes, many, 1000)
      assert.deepEqual(keysOf(engine, {}), ['a'])
      assert.equal(read(engine, 'a'), '1')
    })

    withEngine('keyspaces never meet', (engine) => {
      commit(
        engine,
        putChange(0, encodeText('k'), encodeText('zero')),
        putChange(9, encodeText('k'), encodeText('nine')),
      )
      assert.equal(read(engine, 'k'), 'zero')
      assert.deepEqual(keysOf(engine, {}, 9), ['k'])
      assert.deepEqual(keysOf(engine, {}, 5), [])
      assert.deepEqual(engine.keyspaces(), [0, 9])
      commit(engine, deleteRangeChange(9, encodeText('')))
      assert.equal(read(engine, 'k'), 'zero')
      assert.deepEqual(keysOf(engine, {}, 9), [])
    })

    withEngine('what is appended is seen by `latest` alone until it is published', (engine) => {
      commit(engine, put('a', 'old'))
      engine.append({ changes: [put('a', 'new'), put('b', '1')], revision: 2, time: 0 })
      assert.deepEqual([read(engine, 'a'), read(engine, 'b')], ['old', undefined])
      assert.deepEqual([read(engine, 'a', latest), read(engine, 'b', latest)], ['new', '1'])
      assert.deepEqual(keysOf(engine, {}), ['a'])
      assert.equal(engine.count(0, {}), 1)
      engine.publish(2)
      assert.deepEqual([read(engine, 'a'), read(engine, 'b')], ['new', '1'])
    })

    withEngine('batches are published one by one, in order', (engine) => {
      for (let i = 1; i <= 4; i++) engine.append({ changes: [put('k', `${i}`)], revision: i, time: i })
      engine.publish(2)
      assert.equal(read(engine, 'k'), '2')
      assert.deepEqual([engine.publishedPosition, engine.publishedRevision, engine.publishedTime], [2, 2, 2])
      engine.publish(1)
      assert.equal(read(engine, 'k'), '2', 'publishing never goes back')
      engine.publish(4)
      assert.equal(read(engine, 'k'), '4')
    })

    withEngine('a record tells its lineage', (engine) => {
      commit(engine, put('k', 'one'))
      commit(engine, put('other', 'x'))
      commit(engine, put('k', 'two'))
      const two = find(engine, 'k')
      assert.deepEqual([two?.revision, two?.createRevision, two?.previousRevision, two?.version], [3, 1, 1, 2])
      commit(engine, remove('k'))
      assert.equal(find(engine, 'k'), undefined)
      commit(engine, put('k', 'again'))
      const again = find(engine, 'k')
      assert.deepEqual([again?.revision, again?.createRevision, again?.previousRevision, again?.version], [5, 5, 4, 1])
    })

    withEngine('expiry, lease and tag are carried, each alone and together', (engine) => {
      const numbers = { expiresAt: 2 ** 45 + 3, lease: 2 ** 52 + 1, tag: 255 }
      const cases = [{}, { expiresAt: 5 }, { lease: 6 }, { tag: 7 }, numbers]
      commit(engine, ...cases.map((options, i) => putChange(0, encodeText(`k${i}`), encodeText('v'), options)))
      for (const [i, options] of cases.entries()) {
        const { expiresAt, lease, tag } = find(engine, `k${i}`) as RecordView
        assert.deepEqual({ expiresAt, lease, tag }, { expiresAt: 0, lease: 0, tag: 0, ...options })
        assert.equal(read(engine, `k${i}`), 'v')
      }
      commit(engine, ...cases.map((options, i) => putChange(0, encodeText(`k${i}`), encodeText('w'), options)))
      for (const [i, options] of cases.entries()) {
        const { expiresAt, lease, tag, version } = find(engine, `k${i}`) as RecordView
        assert.deepEqual({ expiresAt, lease, tag, version }, { expiresAt: 0, lease: 0, tag: 0, version: 2, ...options })
      }
    })

    withEngine('ranges keep their bounds, order, direction and limit', (engine) => {
      commit(engine, ...['b', 'd', 'a', 'c', 'ab'].map((key) => put(key, key)))
      const bound = encodeText
      assert.deepEqual(keysOf(engine, {}), ['a', 'ab', 'b', 'c', 'd'])
      assert.deepEqual(keysOf(engine, { reverse: true }), ['d', 'c', 'b', 'ab', 'a'])
      assert.deepEqual(keysOf(engine, { gte: bound('ab'), lt: bound('c') }), ['ab', 'b'])
      assert.deepEqual(keysOf(engine, { gt: bound('ab'), lte: bound('c') }), ['b', 'c'])
      assert.deepEqual(keysOf(engine, { gt: bound('a'), lt: bound('d'), reverse: true, limit: 2 }), ['c', 'b'])
      assert.deepEqual(keysOf(engine, { gte: bound('c'), lt: bound('c') }), [])
      assert.deepEqual(keysOf(engine, { gte: bound('d'), lte: bound('a') }), [])
      assert.deepEqual(keysOf(engine, { gte: bound('aa'), lte: bound('aa') }), [])
      assert.deepEqual(keysOf(engine, { limit: 0 }), [])
      assert.equal(engine.count(0, { gte: bound('ab'), lt: bound('d') }), 3)
      assert.equal(engine.count(0, {}), 5)
    })

    withEngine('a range goes on rightly while keys come and go around it', (engine) => {
      commit(engine, ...Array.from({ length: 500 }, (_, i) => put(`k${String(i).padStart(4, '0')}`, 'v')))
      const seen: string[] = []
      let step = 0
      for (const record of engine.range(0, { at: latest })) {
        seen.push(decoder.decode(copyKey(record)))
        const at = String(step).padStart(4, '0')
        // One key before the place, one key right behind it, and the current key goes.
        commit(engine, put(`k${at}-behind`, 'v'), put(`a${at}`, 'v'), remove(`k${at}`))
        if (++step === 300) break
      }
      // Each deletion is ahead of the place from the second step on, so after the first key only new ones are met.
      const behind = Array.from({ length: 299 }, (_, i) => `k${String(i).padStart(4, '0')}-behind`)
      assert.deepEqual(seen, ['k0000', ...behind])
    })

    withEngine('deletes of a range take the keys of the range alone', (engine) => {
      commit(engine, ...['a', 'b', 'c', 'd'].map((key) => put(key, key)))
      const revision = commit(engine, deleteRangeChange(0, encodeText('b'), encodeText('d')))
      assert.deepEqual(keysOf(engine, {}), ['a', 'd'])
      commit(engine, put('c', 'new'))
      assert.equal(read(engine, 'c'), 'new')
      assert.equal(find(engine, 'c')?.previousRevision, revision)
      if (engine.capabilities.versions) assert.deepEqual(keysOf(engine, { at: 1 }), ['a', 'b', 'c', 'd'])
      commit(engine, deleteRangeChange(0, encodeText('')))
      assert.deepEqual(keysOf(engine, {}), [])
      assert.equal(engine.count(0, {}), 0)
    })

    withEngine('the later of two changes of a key in one batch counts', (engine) => {
      commit(engine, put('k', '1'), put('k', '2'), remove('gone'), put('gone', 'x'), remove('gone'))
      assert.equal(read(engine, 'k'), '2')
      assert.equal(read(engine, 'gone'), undefined)
      assert.equal(find(engine, 'k')?.version, 2)
    })

    withEngine('a change that extends the newest batch has its position and revision, and its fate', async (engine) => {
      commit(engine, put('a', '1'))
      const position = engine.append({ changes: [put('b', '2')], revision: 2, time: 1001 })
      if (!engine.extend(put('c', '3'), 1001)) return
      assert.deepEqual([engine.appendedPosition, engine.appendedRevision], [position, 2])
      assert.deepEqual([read(engine, 'c'), read(engine, 'c', latest)], [undefined, '3'])
      assert.equal(find(engine, 'c', latest)?.revision, 2)
      await engine.sync()
      engine.publish(position)
      assert.equal(read(engine, 'c'), '3')
      const [batch] = [...engine.changes(position - 1)]
      assert.deepEqual(
        Array.from(batch?.records ?? [], (record) => decoder.decode(copyKey(record))),
        ['b', 'c'],
      )
    })

    withEngine('a batch that is extended is taken back whole', async (engine) => {
      commit(engine, put('a', '1'))
      engine.append({ changes: [put('b', '2')], revision: 2, time: 1001 })
      engine.extend(remove('a'), 1001)
      if (!engine.capabilities.truncate) return
      await engine.truncateAfter(1)
      assert.equal(read(engine, 'a', latest), '1')
      assert.equal(read(engine, 'b', latest), undefined)
    })

    withEngine('what has a revision, a time or a key of its own does not extend a batch', (engine) => {
      assert.equal(engine.extend(put('a', '1'), 1000), false, 'there is no batch')
      engine.append({ changes: [put('a', '1')], revision: 1, time: 1000 })
      assert.equal(engine.extend(put('a', '2'), 1000), false, 'the batch changes that key')
      assert.equal(engine.extend(put('b', '2'), 1001), false, 'the time is another')
      const end = encodeText('z')
      assert.equal(engine.extend(deleteRangeChange(0, encodeText('a'), end), 1000), false, 'it deletes a range')
      engine.write()
      assert.equal(engine.extend(put('b', '2'), 1000), false, 'the batch is written')
      engine.append({ changes: [put('c', '3')], revision: 1, time: 1000 })
      assert.equal(engine.extend(put('b', '2'), 1000), false, 'the batch is housekeeping')
      assert.deepEqual([read(engine, 'a', latest), read(engine, 'b', latest)], ['1', undefined])
    })

    withEngine('old revisions stay readable until they are given up', (engine) => {
      if (!engine.capabilities.versions) return
      for (let i = 1; i <= 5; i++) commit(engine, put('k', `${i}`), put(`only${i}`, 'x'))
      commit(engine, remove('k'))
      for (let i = 1; i <= 5; i++) assert.equal(read(engine, 'k', i), `${i}`)
      assert.equal(read(engine, 'k', 6), undefined)
      assert.deepEqual(keysOf(engine, { at: 2 }), ['k', 'only1', 'only2'])
      assert.throws(() => read(engine, 'k', 7), { code: 'engine.not_yet' })
      engine.retain(4)
      assert.equal(engine.oldestRevision, 4)
      assert.throws(() => read(engine, 'k', 3), { code: 'engine.compacted' })
      assert.throws(() => keysOf(engine, { at: 3 }), { code: 'engine.compacted' })
      assert.equal(read(engine, 'k', 4), '4')
      engine.retain(6)
      assert.equal(read(engine, 'k'), undefined)
      assert.equal(engine.versionsRetained, 0)
    })

    withEngine('a deleted key that nobody can see any more leaves the index', (engine) => {
      if (!engine.capabilities.versions) return
      commit(engine, put('a', '1'), put('b', '1'), put('c', '1'))
      commit(engine, remove('a'), deleteRangeChange(0, encodeText('b'), encodeText('c')))
      assert.equal(engine.stats().keysIndexed, 3)
      engine.retain(2)
      assert.equal(engine.stats().keysIndexed, 1)
      assert.equal(engine.stats().keysLive, 1)
      commit(engine, put('a', '2'))
      assert.deepEqual([find(engine, 'a')?.version, find(engine, 'a')?.previousRevision], [1, 0])
    })

    withEngine('truncateAfter takes back what was not published, and nothing else', async (engine) => {
      if (!engine.capabilities.truncate) return
      commit(engine, put('a', '1'), put('b', '1'), put('c', '1'))
      engine.append({ changes: [put('a', '2'), remove('b'), put('d', '1')], revision: 2, time: 5 })
      engine.append({ changes: [deleteRangeChange(0, encodeText('')), put('b', '3')], revision: 3, time: 6 })
      await assert.rejects(engine.truncateAfter(0), { code: 'engine.published' })
      await engine.truncateAfter(2)
      assert.deepEqual(keysOf(engine, { at: latest }), ['a', 'c', 'd'])
      await engine.truncateAfter(1)
      assert.deepEqual(keysOf(engine, { at: latest }), ['a', 'b', 'c'])
      assert.equal(read(engine, 'a', latest), '1')
      assert.deepEqual([engine.appendedPosition, engine.appendedRevision], [1, 1])
      assert.equal(commit(engine, put('a', 'other 2')), 2)
      assert.equal(read(engine, 'a'), 'other 2')
    })

    withEngine('changes come in order, each batch whole, published ones only', (engine) => {
      commit(engine, put('a', '1'), put('b', '2'))
      commit(engine, remove('a'))
      engine.append({ changes: [put('c', '3')], revision: 3, time: 9 })
      const seen = Array.from(engine.changes(0), ({ position, revision, records }) => ({
        position,
        revision,
        records: Array.from(records, (record) => `${record.kind} ${decoder.decode(copyKey(record))}`),
      }))
      assert.deepEqual(seen, [
        { position: 1, revision: 1, records: ['put a', 'put b'] },
        { position: 2, revision: 2, records: ['delete a'] },
      ])
      assert.deepEqual(
        Array.from(engine.changes(1), ({ position }) => position),
        [2],
      )
    })

    withEngine('changes go on after their end with what is published since, through a compaction', async (engine) => {
      const positions = (): number[] => Array.from(changes, ({ position }) => position)
      commit(engine, put('a', '1'))
      const changes = engine.changes(0)
      assert.deepEqual([positions(), positions()], [[1], []])
      engine.append({ changes: [put('b', '2')], revision: 2, time: 9 })
      assert.deepEqual(positions(), [], 'appended is not published')
      engine.publish(2)
      commit(engine, put('a', '3'), put('c', '3'))
      const next = changes.next().value as CommittedBatch
      assert.deepEqual([next.position, next.revision], [2, 2])
      assert.deepEqual(
        Array.from(changes, ({ records }) => Array.from(records, (record) => decoder.decode(copyKey(record)))),
        [['a', 'c']],
      )
      if (!engine.capabilities.compaction) return
      while (!engine.retain(3));
      await engine.compact('all')
      assert.deepEqual(positions(), [])
      commit(engine, put('d', '4'))
      assert.deepEqual(positions(), [4])
    })

    withEngine('a revision has a place: its last batch, and the log behind it', (engine) => {
      for (let i = 1; i <= 3; i++) commit(engine, put('k', `${i}`))
      engine.append({ changes: [putChange(1, encodeText('due'), encodeText(''))], revision: 3, time: 9000 })
      engine.publish(4)
      assert.deepEqual(
        [1, 2, 3].map((revision) => engine.placeAt(revision).position),
        [1, 2, 4],
      )
      assert.deepEqual(
        [0, 2, 3].map((revision) => engine.placeAt(revision).time),
        [0, engine.timeAt(2), 9000],
      )
      const after = [0, 1, 2, 3].map((revision) => engine.placeAt(revision).bytesAfter)
      assert.equal(new Set(after).size, 4)
      assert.deepEqual(
        after,
        after.toSorted((a, b) => b - a),
      )
      assert.throws(() => engine.placeAt(4), { code: 'engine.not_yet' })
    })

    withEngine('housekeeping takes a position and no revision', (engine) => {
      commit(engine, put('a', '1'))
      engine.append({ changes: [putChange(1, encodeText('due'), encodeText(''))], revision: 1, time: 7 })
      engine.publish(2)
      assert.deepEqual([engine.publishedPosition, engine.publishedRevision], [2, 1])
      assert.equal(commit(engine, put('b', '1')), 2)
    })

    withEngine('the time of a revision is that of its newest batch, and never goes back', (engine) => {
      engine.append({ changes: [put('a', '1')], revision: 1, time: 500 })
      engine.append({ changes: [put('a', '2')], revision: 2, time: 400 })
      engine.append({ changes: [put('a', '3')], revision: 3, time: 600 })
      engine.publish(3)
      assert.deepEqual([engine.timeAt(1), engine.timeAt(2), engine.timeAt(3)], [500, 500, 600])
      assert.equal(engine.publishedTime, 600)
    })

    withEngine('getAsync gives a record of the caller’s own', async (engine) => {
      commit(engine, put('a', '1'))
      const key = encodeText('a')
      const record = await engine.getAsync(0, key)
      commit(engine, put('a', '2'))
      assert.equal(decoder.decode(copyValue(record as RecordView)), '1')
      assert.equal(await engine.getAsync(0, encodeText('b')), undefined)
    })

    withEngine('rangeAsync gives what range gives, in records of the caller’s own', async (engine) => {
      commit(engine, ...Array.from({ length: 600 }, (_, i) => put(`k${i}`, `v${i}`)))
      const texts = (record: RecordView): string =>
        `${decoder.decode(copyKey(record))} ${decoder.decode(copyValue(record))}`
      const ranges = [{}, { gt: 'k2', lte: 'k50' }, { gte: 'k2', lt: 'k50', reverse: true }, { limit: 7 }, { gt: 'l' }]
      for (const { limit, reverse, ...bounds } of ranges as { limit?: number; reverse?: boolean }[]) {
        const encoded = Object.entries(bounds).map(([name, bound]) => [name, encodeText(bound as string)])
        const range = { ...Object.fromEntries(encoded), ...(limit && { limit }), ...(reverse && { reverse }) }
        const kept: RecordView[] = []
        for await (const record of engine.rangeAsync(0, range)) kept.push(record)
        assert.deepEqual(kept.map(texts), Array.from(engine.range(0, range), texts))
      }
      // One that is left early lets go.
      for await (const record of engine.rangeAsync(0, {})) if (texts(record) === 'k100 v100') break
    })

    withEngine('a sample is a live record, or nothing', (engine) => {
      assert.equal(engine.sample(0, 0.5), undefined)
      commit(engine, ...Array.from({ length: 300 }, (_, i) => put(`k${i}`, 'v')))
      const seen = new Set<string>()
      for (let i = 0; i < 300; i++) {
        const record = engine.sample(0, i / 300)
        if (record !== undefined) seen.add(decoder.decode(copyKey(record)))
      }
      assert.ok(seen.size > 150, `of 300 samples ${seen.size} are different`)
    })

    withEngine('what was synced is there after reopening, with its numbers', async (engine, harness) => {
      if (!engine.capabilities.durable) return
      commit(engine, put('a', '1'), put('b', '1'))
      commit(engine, put('a', '2'), remove('b'))
      assert.equal(await engine.sync(), 2)
      const again = await harness.reopen(engine)
      try {
        assert.equal(read(again, 'a'), '2')
        assert.equal(read(again, 'b'), undefined)
        assert.deepEqual([again.publishedPosition, again.publishedRevision], [2, 2])
        assert.deepEqual([find(again, 'a')?.version, find(again, 'a')?.createRevision], [2, 1])
        assert.equal(read(again, 'b', 1), '1')
        assert.equal(commit(again, put('c', '1')), 3)
      } finally {
        await again.close()
      }
    })

    withEngine('what it does not declare it refuses by name', async (engine) => {
      if (!engine.capabilities.compaction) await assert.rejects(engine.compact(), { code: 'engine.not_supported' })
    })

    withEngine('verify finds a sound engine sound', async (engine) => {
      commit(engine, put('a', '1'))
      const report = await engine.verify()
      assert.deepEqual(report.faults, [])
    })

    withEngine('after close everything is refused by name', async (engine) => {
      await engine.close()
      assert.throws(() => commit(engine, put('a', '1')), { code: 'engine.closed' })
      await assert.rejects(engine.sync(), { code: 'engine.closed' })
      await engine.close()
    })

    for (const seed of seeds) {
      test(`agrees with its twin, seed ${seed}`, async () => {
        const harness = await open()
        let current = harness.engine
        try {
          const reopen = async (engine: Engine): Promise<Engine> => {
            current = await harness.reopen(engine)
            return current
          }
          const options = { seed, steps: 600, reopen, ...(harness.check ? { check: harness.check } : {}) }
          await runModel(harness.engine, options)
          assert.deepEqual((await current.verify()).faults, [])
        } finally {
          await current.close()
        }
      })
    }
  })
}
