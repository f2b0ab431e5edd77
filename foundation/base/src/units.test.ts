/** Units: what people may write for an amount, and how amounts are written for people. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  day,
  formatBytes,
  formatDuration,
  GiB,
  hour,
  KiB,
  MiB,
  minute,
  parseBytes,
  parseDuration,
  second,
} from './units.ts'

const notAmounts = [
  '',
  ' ',
  'MiB',
  '-1',
  '+1',
  '1e3',
  '1.',
  '.5',
  '1,5',
  '0x10',
  '1 2',
  '1 MiB MiB',
  '12 parsecs',
  'NaN',
  'Infinity',
]

/** Names that every object answers to. */
const inherited = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__']

describe('amounts of bytes', () => {
  test('are read with units of 1024 and of 1000, in any case, with and without a space', () => {
    const cases: [string, number][] = [
      ['0', 0],
      ['4096', 4096],
      ['7b', 7],
      ['64MiB', 64 * MiB],
      ['64 mib', 64 * MiB],
      ['64m', 64 * MiB],
      ['2k', 2 * KiB],
      ['3KB', 3000],
      ['1 GB', 1e9],
      ['1GiB', GiB],
      ['1g', GiB],
      ['5mb', 5e6],
      ['1tb', 1e12],
      ['1TiB', 1024 * GiB],
      ['1.5KiB', 1536],
      ['  8 KiB  ', 8 * KiB],
      ['0.4', 0],
    ]
    for (const [text, bytes] of cases) assert.equal(parseBytes(text), bytes, text)
  })

  test('other text is none', () => {
    for (const text of [...notAmounts, '5s', '1ms']) assert.equal(parseBytes(text), undefined, text)
    for (const name of inherited) assert.equal(parseBytes(`1${name}`), undefined, name)
  })

  test('are written with one decimal below a hundred', () => {
    const cases: [number, string][] = [
      [0, '0 B'],
      [1, '1 B'],
      [1023, '1023 B'],
      [KiB, '1.0 KiB'],
      [1536, '1.5 KiB'],
      [100 * KiB, '100 KiB'],
      [MiB - 1, '1.0 MiB'],
      [64 * MiB, '64.0 MiB'],
      [GiB, '1.0 GiB'],
      [1024 * GiB, '1.0 TiB'],
      [2 ** 50, '1.0 PiB'],
      [2 ** 53, '8.0 PiB'],
    ]
    for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text)
  })

  test('what is written is within a twentieth of the amount, and never reaches the next unit', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (fraction) => {
        // Spread over all sizes alike.
        const bytes = Math.floor(2 ** (fraction * 53)) - 1
        const [number, unit] = formatBytes(bytes).split(' ') as [string, string]
        const unitBytes = 1024 ** ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].indexOf(unit)
        assert.ok(Math.abs(Number(number) * unitBytes - bytes) <= bytes / 20)
        assert.ok(Number(number) < 1024)
      }),
    )
  })
})

describe('durations', () => {
  test('are read in milliseconds unless a unit is given', () => {
    const cases: [string, number][] = [
      ['250', 250],
      ['100ms', 100],
      ['5 s', 5 * second],
      ['2m', 2 * minute],
      ['2min', 2 * minute],
      ['1h', hour],
      ['1.5H', 1.5 * hour],
      ['7d', 7 * day],
      ['0', 0],
    ]
    for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text)
  })

  test('other text is none', () => {
    for (const text of [...notAmounts, '5KiB', '1w']) assert.equal(parseDuration(text), undefined, text)
    for (const name of inherited) assert.equal(parseDuration(`1${name}`), undefined, name)
  })

  test('are written in their two largest units', () => {
    const cases: [number, string][] = [
      [0, '0 ms'],
      [999, '999 ms'],
      [999.6, '1.0 s'],
      [second, '1.0 s'],
      [1250, '1.3 s'],
      [59_940, '59.9 s'],
      [59_960, '1m 0s'],
      [90_500, '1m 31s'],
      [hour - 1, '1h 0m'],
      [hour + 59 * second, '1h 0m'],
      [day, '1d 0h'],
      [400 * day + 5 * hour, '400d 5h'],
    ]
    for (const [ms, text] of cases) assert.equal(formatDuration(ms), text)
  })

  test('what is written never goes past the unit it is written in', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100 * day, noNaN: true }), (ms) => {
        const text = formatDuration(ms)
        const bounds: Record<string, number> = { ms: 1000, s: 60, m: 60, h: 24, d: 101 }
        for (const [, number, unit] of text.matchAll(/([\d.]+) ?([a-z]+)/g)) {
          assert.ok(Number(number) < (bounds[unit as string] as number), text)
        }
      }),
    )
  })
})
