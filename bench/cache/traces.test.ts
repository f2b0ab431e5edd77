/**
 * The choices of a store in cache mode on parts of recorded traces, which lie outside of this repository: bench/questions/cache.ts takes all
 * of them, at every size.
 */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import { exactLruHits, optimalHits } from './reference.ts'
import { replay } from './replay.ts'
import { readTrace, toTrace, traceFiles, traceFolder } from './traces.ts'

const accessesMax = 5000
const skip = traceFolder === undefined ? 'there are no traces beside the repository' : false

describe('hit rates', () => {
  test('recorded traces: lru is exact, and no policy beats the optimum', { skip }, async () => {
    for (const file of traceFiles().filter((name) => !name.endsWith('.xz'))) {
      const { name, accesses } = readTrace(file)
      const trace = toTrace(name, accesses.subarray(0, accessesMax))
      const entriesMax = Math.ceil(trace.distinct / 20)
      assert.equal(await replay(trace, 'lru', entriesMax), exactLruHits(trace, entriesMax), name)
      assert.ok((await replay(trace, 'w-tinylfu', entriesMax)) <= optimalHits(trace, entriesMax), name)
    }
  })

  test('a loop that is larger than the cache: lru finds nothing in it, w-tinylfu keeps a part', async () => {
    const loop = toTrace(
      'loop',
      Array.from({ length: 6000 }, (_, i) => i % 300),
    )
    assert.equal(await replay(loop, 'lru', 100), 0)
    const kept = await replay(loop, 'w-tinylfu', 100)
    assert.ok(kept >= 0.7 * optimalHits(loop, 100), `${kept} hits of ${optimalHits(loop, 100)}`)
  })

  test('some keys much more than others: lfu and w-tinylfu are ahead of lru', async () => {
    const random = new Random(5)
    const skewed = toTrace(
      'skewed',
      Array.from({ length: 8000 }, () => Math.floor(2000 * (random.uint32() / 2 ** 32) ** 4)),
    )
    const lru = await replay(skewed, 'lru', 100)
    assert.ok((await replay(skewed, 'lfu', 100)) > lru)
    assert.ok((await replay(skewed, 'w-tinylfu', 100)) > lru)
  })
})
