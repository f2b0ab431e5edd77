/** Pieces that cover a file: against trying every order, on random pieces with gaps and overlaps. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import type { BackedFile, Piece } from './manifest.ts'
import { PieceIndex } from './pieces.ts'

function piece(from: number, to: number, more: Partial<Piece> = {}): Piece {
  return { kind: 'log', number: 1, seed: 7, from, to, crc32c: 0, sequence: 1, ...more }
}

const log: BackedFile = { kind: 'log', number: 1, seed: 7, bytes: 100 }

for (const seed of seedsFor('pieces', { kept: [], fresh: 2 })) {
  test(`pieces reach as far as every byte before is in one, seed ${seed}`, () => {
    const random = new Random(seed)
    for (let run = 0; run < 300; run++) {
      const all = Array.from({ length: random.between(0, 8) }, () => {
        const from = random.below(100)
        return piece(from, from + random.between(1, 40))
      })
      const { pieces, end } = new PieceIndex(all).cover(log)
      const isIn = (byte: number): boolean => all.some(({ from, to }) => from <= byte && byte < to)
      let reach = 0
      while (reach < 100 && isIn(reach)) reach++
      assert.equal(Math.min(end, 100), reach)
      let at = 0
      for (const { from, to } of pieces) {
        assert.ok(from <= at && to > at, 'each goes on where the last one ended')
        at = to
      }
      assert.equal(at, end)
    }
  })
}

test('pieces of another file are not taken, and a sorted file is covered whole or not at all', () => {
  const others = [piece(0, 100, { seed: 8 }), piece(0, 100, { number: 2 }), piece(0, 100, { kind: 'sorted' })]
  assert.equal(new PieceIndex(others).cover(log).end, 0)
  const sorted: BackedFile = { ...log, kind: 'sorted' }
  assert.equal(new PieceIndex(others).cover(sorted).end, 100)
  assert.equal(new PieceIndex([piece(0, 60, { kind: 'sorted' })]).cover(sorted).end, 0)
  assert.equal(new PieceIndex([piece(0, 120, { kind: 'sorted' })]).cover(sorted).end, 0)
})
