/** Axes and numbers: ticks that people like, in order and within the axis, and texts that mean what they stand for. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Axis } from './chart.ts'
import { formatValue } from './format.ts'
import { scaleFor } from './scale.ts'

const labels = (
  unit: string,
  values: number[],
  change: Partial<Axis> & { isBase?: boolean; tickCount?: number } = {},
) => {
  const { isBase = true, tickCount = 5, ...axis } = change
  return scaleFor({ axis: { label: 'a', unit, ...axis }, values, tickCount, isBase }).ticks.map(({ label }) => label)
}

describe('numbers as a person reads them', () => {
  const cases: [number, string, string][] = [
    [0, '', '0'],
    [1234, '', '1.23k'],
    [999_999, '', '1M'],
    [-45_000.5, 'USD', '-45k'],
    [0.05, '', '0.05'],
    [1e-7, '', '1e-7'],
    [1.2e20, '', '120000P'],
    [1536, 'bytes', '1.5 KiB'],
    [1023.9, 'bytes', '1 KiB'],
    [1e15, 'bytes', '909 TiB'],
    [3 * 2 ** 30, 'bytes/s', '3 GiB/s'],
    [0, 'bytes', '0 B'],
    [0.000_25, 'seconds', '250 µs'],
    [90, 'seconds', '1.5 min'],
    [86_400 * 365, 'seconds', '365 d'],
    [3e-10, 'seconds', '0.3 ns'],
    [0.5, 'share', '50%'],
    [0.999_93, 'share', '99.993%'],
    [0.999_999_943, 'share', '99.9999943%'],
    [1, 'share', '100%'],
  ]
  for (const [value, unit, text] of cases)
    test(`${value} ${unit} is ${text}`, () => assert.equal(formatValue(value, unit), text))
})

describe('ticks', () => {
  test('of plain numbers, money, shares', () => {
    assert.deepEqual(labels('', [0.1, 0.35]), ['0', '0.1', '0.2', '0.3', '0.4'])
    assert.deepEqual(labels('USD', [120_000, -250_000]), ['-300k', '-200k', '-100k', '0', '100k', '200k'])
    const shares = labels('share', [0.99991, 0.99998], { isBase: false })
    assert.deepEqual(shares, ['99.99%', '99.992%', '99.994%', '99.996%', '99.998%'])
  })

  test('of bytes are round in two, of time round in sixty', () => {
    assert.deepEqual(labels('bytes', [2.9 * 2 ** 50]), [
      '0 TiB',
      '512 TiB',
      '1 PiB',
      '1.5 PiB',
      '2 PiB',
      '2.5 PiB',
      '3 PiB',
    ])
    assert.deepEqual(labels('seconds', [290]), ['0 min', '1 min', '2 min', '3 min', '4 min', '5 min'])
    assert.deepEqual(labels('seconds', [0.0045]), ['0 ms', '1 ms', '2 ms', '3 ms', '4 ms', '5 ms'])
    assert.deepEqual(labels('seconds', [86_400 * 9]), ['0 d', '2 d', '4 d', '6 d', '8 d', '10 d'])
  })

  test('on a logarithmic axis are powers, closer together where there is room', () => {
    const log = { scale: 'log', isBase: false } as const
    assert.deepEqual(labels('', [3, 4e4], log), ['1', '10', '100', '1k', '10k', '100k'])
    assert.deepEqual(labels('', [2, 7], log), ['1', '2', '5', '10'])
    assert.deepEqual(labels('bytes', [1024, 2 ** 40], { ...log, tickCount: 3 }), ['1 KiB', '1 MiB', '1 GiB', '1 TiB'])
    assert.deepEqual(labels('seconds', [0.5, 7000], { ...log, tickCount: 8 }), [
      '100 ms',
      '1 s',
      '10 s',
      '1 min',
      '10 min',
      '1 h',
    ])
  })

  test('a bar on a logarithmic axis always has a height', () => {
    for (const values of [[10], [10, 1000], [1e-9]]) {
      const { place, basePlace } = scaleFor({
        axis: { label: '', unit: '', scale: 'log' },
        values,
        tickCount: 5,
        isBase: true,
      })
      for (const value of values) assert.ok(place(value) > basePlace + 0.1)
    }
  })

  test('zero belongs to the axis of bars always, of lines where it does not squeeze them', () => {
    assert.ok(labels('', [95, 100]).includes('0'))
    assert.ok(!labels('', [95, 100], { isBase: false }).includes('0'))
    assert.ok(labels('', [20, 100], { isBase: false }).includes('0'))
    assert.ok(labels('', [-20, -100], { isBase: false }).includes('0'))
  })

  test('any values: ticks ascend within the axis, every value has its place, order is kept', () => {
    const units = fc.constantFrom('', 'bytes', 'bytes/s', 'seconds', 'share', 'USD')
    const number = (isLog: boolean) =>
      fc
        .double({ min: isLog ? 1e-29 : -1e30, max: 1e30, noNaN: true })
        .map((value) => (Object.is(value, -0) ? 0 : value))
    const shape = fc.boolean().chain((isLog) =>
      fc.record({
        scale: fc.constant<'log' | 'linear'>(isLog ? 'log' : 'linear'),
        values: fc.array(number(isLog), { maxLength: 6 }),
        unit: units,
        tickCount: fc.integer({ min: 2, max: 12 }),
        isBase: fc.boolean(),
        isTight: fc.boolean(),
      }),
    )
    fc.assert(
      fc.property(shape, ({ scale, values, unit, tickCount, isBase, isTight }) => {
        const made = scaleFor({ axis: { label: '', unit, scale }, values, tickCount, isBase, isTight })
        assert.ok(made.ticks.length <= 3 * tickCount + 3, `${made.ticks.length} ticks`)
        for (const [index, tick] of made.ticks.entries()) {
          assert.ok(tick.place >= 0 && tick.place <= 1)
          assert.ok(index === 0 || tick.place > made.ticks[index - 1]!.place, JSON.stringify(made.ticks))
          assert.doesNotMatch(tick.label, /NaN|Infinity|undefined/)
        }
        const sorted = [...values].sort((one, other) => one - other)
        for (const [index, value] of sorted.entries()) {
          const place = made.place(value)
          assert.ok(place >= 0 && place <= 1, String(place))
          assert.ok(index === 0 || place >= made.place(sorted[index - 1]!))
        }
        if (!isTight) assert.ok(made.ticks.length >= 1)
      }),
      { numRuns: 1000 },
    )
  })
})
