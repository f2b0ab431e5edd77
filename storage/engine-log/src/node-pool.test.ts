/** The node pool: nodes do not overlap, a freed one serves again with a clean head, chunks are never moved. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NodePool, nodeA, nodeB, nodeCapacity, nodeCount, nodeHigh, nodeLow, nodeWords, noNode } from './node-pool.ts'

describe('node pool', () => {
  test('the arrays of a node follow each other and end with it', () => {
    assert.deepEqual(
      [nodeHigh, nodeLow, nodeA, nodeB].map((start) => start - nodeHigh),
      [0, 1, 2, 3].map((i) => i * nodeCapacity),
    )
    assert.equal(nodeWords, nodeB + nodeCapacity)
  })

  test('ids begin at 1 and nodes do not overlap', () => {
    const pool = new NodePool()
    const ids = Array.from({ length: 1000 }, () => pool.allocate())
    assert.ok(!ids.includes(noNode))
    assert.equal(new Set(ids).size, 1000)
    assert.equal(pool.count, 1000)
    for (const id of ids) pool.chunk(id).fill(id, pool.base(id), pool.base(id) + nodeWords)
    for (const id of ids) {
      const words = pool.chunk(id).subarray(pool.base(id), pool.base(id) + nodeWords)
      assert.ok(words.every((word) => word === id))
    }
  })

  test('growth makes new chunks and leaves the old ones where they are', () => {
    const pool = new NodePool()
    const first = pool.allocate()
    const chunk = pool.chunk(first)
    const bytes = pool.bytes
    for (let i = 0; i < 600; i++) pool.allocate()
    assert.equal(pool.chunk(first), chunk)
    assert.ok(pool.bytes > bytes)
  })

  test('a freed node serves again, its head cleared', () => {
    const pool = new NodePool()
    const [a, b] = [pool.allocate(), pool.allocate()]
    pool.chunk(a).fill(77, pool.base(a), pool.base(a) + nodeWords)
    pool.free(a)
    assert.equal(pool.count, 1)
    const again = pool.allocate()
    assert.equal(again, a)
    assert.equal(pool.chunk(again)[pool.base(again) + nodeCount], 0)
    assert.ok(
      pool
        .chunk(again)
        .subarray(pool.base(again), pool.base(again) + nodeHigh)
        .every((word) => word === 0),
    )
    assert.notEqual(again, b)
  })

  test('memory does not grow while nodes are freed and taken', () => {
    const pool = new NodePool()
    for (let i = 0; i < 100; i++) pool.allocate()
    const { bytes } = pool
    for (let i = 0; i < 10_000; i++) pool.free(pool.allocate())
    assert.equal(pool.bytes, bytes)
  })
})
