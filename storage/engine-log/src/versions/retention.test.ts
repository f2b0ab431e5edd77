/** Giving up old states while something else is under way: a range that has not ended, a write that is taken back. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KiB } from '@orbitkv/base'
import { decodeText, encodeText } from '@orbitkv/bytes'
import { type Change, copyKey, deleteChange, deleteRangeChange, latest, putChange } from '@orbitkv/engine'
import { MemoryDisk } from '@orbitkv/runtime'
import { openLogEngine } from '../open.ts'

type LogEngine = Awaited<ReturnType<typeof openLogEngine>>

const config = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 }

function openEngine(): Promise<LogEngine> {
  return openLogEngine('/store', { disk: new MemoryDisk(), config })
}

function append(engine: LogEngine, ...changes: Change[]): void {
  engine.append({ changes, revision: engine.appendedRevision + 1, time: engine.appendedPosition })
}

function commit(engine: LogEngine, ...changes: Change[]): void {
  append(engine, ...changes)
  engine.write()
  engine.publish(engine.appendedPosition)
}

function put(key: string): Change {
  return putChange(0, encodeText(key), encodeText(`value of ${key}`))
}

describe('retention', () => {
  for (const reverse of [false, true]) {
    test(`a range${reverse ? ' in reverse' : ''} goes on though the delete under its place is forgotten meanwhile`, async () => {
      const engine = await openEngine()
      commit(engine, put('a'), put('b'), put('c'), put('d'))
      // Not published, so the range still sees the keys, through the entries that the delete has taken over.
      append(engine, deleteRangeChange(0, new Uint8Array(0)))
      const seen: string[] = []
      for (const record of engine.range(0, { reverse })) {
        seen.push(decodeText(copyKey(record)))
        if (seen.length > 1) continue
        engine.publish(2)
        assert.equal(engine.retain(2), true)
        commit(engine, put('b'), put('c'))
      }
      assert.deepEqual(seen, reverse ? ['d', 'c', 'b'] : ['a', 'b', 'c'])
      await engine.close()
    })
  }

  const deletes: [string, Change][] = [
    ['a delete', deleteChange(0, encodeText('k'))],
    ['a delete of a range', deleteRangeChange(0, new Uint8Array(0))],
  ]
  for (const [what, gone] of deletes) {
    for (const above of [put('k'), deleteChange(0, encodeText('k'))]) {
      test(`a ${above.kind} taken back from above ${what} that was forgotten leaves nothing of the key`, async () => {
        const engine = await openEngine()
        commit(engine, put('k'), put('other'))
        commit(engine, gone, put('other'))
        append(engine, above)
        assert.equal(engine.retain(2), true)
        await engine.truncateAfter(2)
        engine.validate()
        const key = encodeText('k')
        assert.equal(engine.get(0, key, 0, 1, latest), undefined)
        assert.equal(engine.stats().keysIndexed, 1)
        commit(engine, put('k'))
        assert.equal(engine.get(0, key, 0, 1)?.previousRevision, 0)
        assert.equal(engine.retain(3), true)
        engine.validate()
        assert.equal(engine.versionsRetained, 0)
        await engine.close()
      })

      test(`a ${above.kind} taken back from above ${what} that is kept leaves the delete`, async () => {
        const engine = await openEngine()
        commit(engine, put('k'), put('other'))
        commit(engine, gone, put('other'))
        append(engine, above)
        await engine.truncateAfter(2)
        engine.validate()
        const key = encodeText('k')
        assert.equal(engine.get(0, key, 0, 1, latest), undefined)
        assert.notEqual(engine.get(0, key, 0, 1, 1), undefined)
        commit(engine, put('k'))
        assert.equal(engine.get(0, key, 0, 1)?.previousRevision, 2)
        assert.equal(engine.retain(3), true)
        engine.validate()
        assert.equal(engine.versionsRetained, 0)
        await engine.close()
      })
    }
  }
})
