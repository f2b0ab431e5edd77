/** Reading ahead of ranges: what is asked for, and that nothing is where reads go all over. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KiB, MiB, Random, seedsFor } from '@orbitkv/base'
import type { Log } from '../log/log.ts'
import { ReadAhead } from './read-ahead.ts'

const segmentBytes = 4 * MiB

function make() {
  const asked: { segment: number; start: number; end: number }[] = []
  const segments = [undefined, 1, 2].map(
    (segment) =>
      segment && {
        mapping: {
          bytes: { length: segmentBytes },
          advise: (_advice: string, start: number, length: number) =>
            void asked.push({ segment, start, end: start + length }),
        },
      },
  )
  return { asked, ahead: new ReadAhead({ segments } as unknown as Pick<Log, 'segments'>) }
}

/** Tells places of one segment, 24 at a time. */
function tell(ahead: ReadAhead, segment: number, offsets: readonly number[]): void {
  for (let from = 0; from < offsets.length; from += 24) {
    const some = offsets.slice(from, from + 24)
    ahead.look(Uint32Array.from(some.flatMap((offset) => [segment, offset >>> 3])), some.length)
  }
}

test('where a range goes on upwards, everything behind its start is asked for once, before it is there', () => {
  const { asked, ahead } = make()
  for (let number = 1; number <= 2; number++) {
    tell(
      ahead,
      number,
      Array.from({ length: segmentBytes / 1000 }, (_, i) => i * 1000),
    )
    const own = asked.filter(({ segment }) => segment === number)
    assert.ok((own[0]?.start ?? segmentBytes) < 128 * KiB, 'soon after the start')
    for (const [i, { start }] of own.entries())
      assert.equal(start, own[i - 1]?.end ?? start, 'nothing twice, and no gap')
    assert.equal(own.at(-1)?.end, segmentBytes, 'to the end, and not beyond')
  }
})

for (const seed of seedsFor('read-ahead', { kept: [1], fresh: 2 })) {
  test(`places all over ask for nothing, seed ${seed}`, () => {
    const { asked, ahead } = make()
    const random = new Random(seed)
    tell(
      ahead,
      1,
      Array.from({ length: 10_000 }, () => random.below(segmentBytes - 100)),
    )
    assert.deepEqual(asked, [])
  })
}

test('a segment that is gone, one that is not mapped, and no place at all are left alone', () => {
  const { asked, ahead } = make()
  const upwards = Array.from({ length: 400 }, (_, i) => i * 1000)
  tell(ahead, 7, upwards)
  ahead.look(new Uint32Array(0), 0)
  assert.deepEqual(asked, [])
})
