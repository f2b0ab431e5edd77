/** Every codec: what it takes comes back, keys sort as their values do, and what is not its own is refused by name. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seedsFor } from '@orbitkv/base'
import { compareBytes, encodeText } from '@orbitkv/bytes'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import {
  bytes,
  type Codec,
  decodeTuple,
  encodeTuple,
  float64,
  i32,
  json,
  jsonOf,
  msgpack,
  type TupleElement,
  tuple,
  tuplesEnd,
  u32,
  u64,
  u64Big,
  utf8,
} from './index.ts'

const [seed = 0] = seedsFor('codecs', { kept: [], fresh: 1 })
const settings = { seed: seed | 0, numRuns: 1000 }

function encoded<Value>(codec: Codec<Value>, value: Value): Uint8Array {
  const found = codec.encode(value)
  return typeof found === 'string' ? encodeText(found) : found
}

/** Within other bytes, as in a segment of the log. */
function decoded<Value>(codec: Codec<Value>, source: Uint8Array): Value {
  const around = new Uint8Array(source.length + 7).fill(0xee)
  around.set(source, 3)
  const value = codec.decode(around, 3, source.length)
  around.fill(0xdd)
  return value
}

const sign = (value: number | bigint): number => (value < 0 ? -1 : value > 0 ? 1 : 0)
const order = (a: Uint8Array, b: Uint8Array): number => sign(compareBytes(a, 0, a.length, b, 0, b.length))
const compare = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0)
const compareText = (a: string, b: string): number => order(encodeText(a), encodeText(b))

const numberEdges = [0, 1, -1, 0.5, -0.5, 2 ** 31, -(2 ** 31), 2 ** 53, Number.MAX_VALUE, Number.MIN_VALUE]
const someNumber = fc.oneof(
  fc.double({ noNaN: true }).map((value) => value + 0),
  fc.integer(),
  fc.constantFrom(...numberEdges, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
)
const someText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('\0', '\u0001', 'a', 'ÿ', '\uffff', '😀'), maxLength: 5 }),
)
const someBytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 5 }).map((all) => Uint8Array.from(all)),
)
const someBigint = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(1n << 70n), max: 1n << 70n }),
  fc.integer({ min: 0, max: 1000 }).map((bits) => (1n << BigInt(bits)) * (bits % 2 === 0 ? 1n : -1n)),
)

interface Sorted<Value> {
  readonly codec: Codec<Value>
  readonly some: fc.Arbitrary<Value>
  readonly compare: (a: Value, b: Value) => number
}

function sortedCodec<Value>({ codec, some, compare: compareValues }: Sorted<Value>): void {
  test(`${codec.name} comes back, and its bytes sort as its values do (ORBIT_SEED=${seed})`, () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        const first = encoded(codec, a)
        const second = encoded(codec, b)
        assert.deepEqual(decoded(codec, first), a)
        assert.equal(order(first, second), compareValues(a, b))
      }),
      settings,
    )
  })
}

describe('codecs for keys', () => {
  sortedCodec({ codec: utf8, some: someText, compare: compareText })
  sortedCodec({ codec: bytes, some: someBytes, compare: order })
  sortedCodec({ codec: u32, some: fc.nat({ max: 2 ** 32 - 1 }), compare })
  sortedCodec({ codec: i32, some: fc.integer(), compare })
  sortedCodec({ codec: u64, some: fc.maxSafeNat(), compare })
  sortedCodec({ codec: u64Big, some: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), compare })
  sortedCodec({ codec: float64, some: someNumber, compare })
})

const someElement: fc.Arbitrary<TupleElement> = fc.letrec<{ element: TupleElement; inner: TupleElement[] }>((tie) => ({
  element: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, false, true),
    someNumber,
    someBigint,
    someText,
    someBytes,
    tie('inner'),
  ),
  inner: fc.array(tie('element'), { maxLength: 3 }),
})).element
const someTuple = fc.array(someElement, { maxLength: 4 })

const kinds = ['null', 'boolean', 'number', 'bigint', 'string', 'bytes', 'tuple']

function kindOf(element: TupleElement): number {
  const kind = element === null ? 'null' : element instanceof Uint8Array ? 'bytes' : typeof element
  return kinds.indexOf(kind === 'object' ? 'tuple' : kind)
}

/** The order that tuple.ts promises, said once more without bytes. */
function compareElements(a: TupleElement, b: TupleElement): number {
  if (kindOf(a) !== kindOf(b)) return compare(kindOf(a), kindOf(b))
  if (a === null) return 0
  if (typeof a === 'boolean') return compare(Number(a), Number(b))
  if (typeof a === 'number' || typeof a === 'bigint') return compare(a, b as number | bigint)
  if (typeof a === 'string') return compareText(a, b as string)
  if (a instanceof Uint8Array) return order(a, b as Uint8Array)
  return compareTuples(a, b as readonly TupleElement[])
}

function compareTuples(a: readonly TupleElement[], b: readonly TupleElement[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const found = compareElements(a[i] as TupleElement, b[i] as TupleElement)
    if (found !== 0) return found
  }
  return compare(a.length, b.length)
}

describe('tuples', () => {
  test(`come back, and their bytes sort as they do (ORBIT_SEED=${seed})`, () => {
    fc.assert(
      fc.property(someTuple, someTuple, someTuple, (shared, one, other) => {
        const [a, b] = [
          [...shared, ...one],
          [...shared, ...other],
        ] as const
        const first = encodeTuple(a)
        const second = encodeTuple(b)
        assert.deepEqual(decoded(tuple<TupleElement[]>(), first), a)
        assert.equal(order(first, second), compareTuples(a, b))
      }),
      { ...settings, numRuns: 3000 },
    )
  })

  test(`[bytes, bytes ff) are those that begin with a tuple (ORBIT_SEED=${seed})`, () => {
    fc.assert(
      fc.property(someTuple, someTuple, someTuple, (first, one, other) => {
        const prefix = encodeTuple(first)
        const end = tuplesEnd(prefix)
        for (const candidate of [[...first, ...one], other]) {
          const found = encodeTuple(candidate)
          const begins = compareTuples(candidate.slice(0, first.length), first) === 0
          assert.equal(order(prefix, found) <= 0 && order(found, end) < 0, begins)
        }
      }),
      settings,
    )
  })

  test(`are read whole or refused by name, whatever the bytes (ORBIT_SEED=${seed})`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), someTuple, fc.nat(), (random, whole, cut) => {
        const torn = encodeTuple(whole)
        for (const source of [random, torn.slice(0, torn.length === 0 ? 0 : cut % torn.length)]) {
          try {
            decodeTuple(source, 0, source.length)
          } catch (error) {
            assert.equal((error as { code?: unknown }).code, 'codecs.cannot_decode')
          }
        }
      }),
      settings,
    )
  })

  test('what sorts nowhere, is no element or has no end is refused', () => {
    const circle: TupleElement[] = []
    circle.push(circle)
    for (const wrong of [[Number.NaN], [undefined], [{}], ['\ud800'], circle, [1n << 2048n]]) {
      assert.throws(() => encodeTuple(wrong as TupleElement[]), { code: 'codecs.cannot_encode' })
    }
    const deep = new Uint8Array(1000).fill(0x60)
    assert.throws(() => decodeTuple(deep, 0, deep.length), { code: 'codecs.cannot_decode' })
  })

  test('have the bytes that they had: keys in stores depend on it', () => {
    const sample: TupleElement = [null, false, true, 1.5, -2, 0n, 258n, -1n, 'a\0b', Uint8Array.of(0, 255), ['x', []]]
    assert.equal(
      Buffer.from(encodeTuple(sample)).toString('hex'),
      '10111220bff8000000000000203fffffffffffffff3100310201' +
        '0230fefe406100ff6200' +
        '5000ffff00' +
        '604078006000' +
        '00',
    )
  })
})

describe('codecs for values', () => {
  test(`json and msgpack come back (ORBIT_SEED=${seed})`, () => {
    const packed = msgpack<unknown>(new Packr())
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // msgpackr renames this one, which could harm who copies objects.
        fc.pre(!JSON.stringify(value).includes('__proto__'))
        const clean = JSON.parse(JSON.stringify(value))
        assert.deepEqual(decoded(json, encoded(json, clean)), clean)
        assert.deepEqual(decoded(packed, encoded(packed, clean)), clean)
      }),
      settings,
    )
  })

  test('msgpack hands out binary values of its own', () => {
    const codec = msgpack<{ data: Uint8Array }>(new Packr())
    const value = decoded(codec, encoded(codec, { data: Uint8Array.of(1, 2) }))
    assert.deepEqual([...value.data], [1, 2])
  })
})

test('a codec refuses by name what it does not take, and bytes that are not its own', () => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const wrong: [Codec<unknown>, unknown[]][] = [
    [utf8, ['\ud800', 1]],
    [bytes, ['text', [1]]],
    [u32, [-1, 2 ** 32, 0.5, Number.NaN, '1', 1n]],
    [i32, [2 ** 31, -(2 ** 31) - 1, 0.5]],
    [u64, [-1, 2 ** 53, 0.5, 1n]],
    [u64Big, [-1n, 1n << 64n, 1]],
    [float64, [Number.NaN, '1']],
    [json, [undefined, circle, 1n, () => 1]],
    [jsonOf<unknown>(), [undefined]],
    [msgpack<unknown>(new Packr()), [undefined]],
  ]
  for (const [codec, values] of wrong) {
    for (const value of values) {
      assert.throws(() => codec.encode(value), { code: 'codecs.cannot_encode' }, `${codec.name} ${String(value)}`)
    }
  }
  const tooShort = Uint8Array.of(1)
  for (const codec of [u32, i32, u64, u64Big, float64, tuple()]) {
    assert.throws(() => codec.decode(tooShort, 0, 1), { code: 'codecs.cannot_decode' }, codec.name)
  }
  assert.throws(() => json.decode(encodeText('{'), 0, 1), { code: 'codecs.cannot_decode' })
  assert.throws(() => msgpack(new Packr()).decode(Uint8Array.of(0x92), 0, 1), { code: 'codecs.cannot_decode' })
  assert.throws(() => u64.decode(new Uint8Array(8).fill(255), 0, 8), { code: 'codecs.cannot_decode' })
})
