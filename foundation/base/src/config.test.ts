/** Config tables: what each kind of setting takes and refuses, and that a table tells every fault at once. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { bytes, choice, config, count, duration, flag, nearest, type Setting, text } from './config.ts'
import { hasCode, OrbitError } from './errors.ts'
import { hour, KiB, MiB, second } from './units.ts'

const why = 'for the test'

const table = config(
  {
    threads: count({ default: 2, min: 1, max: 64, why }),
    cacheBytes: bytes({ default: 64 * MiB, min: 4 * KiB, max: 1024 * MiB, why }),
    pageBytes: bytes({ default: 4 * KiB, min: 1, max: 1 * MiB, why }),
    syncAfterMs: duration({ default: 100, min: 1, max: hour, why }),
    verbose: flag({ default: false, why }),
    label: text({ default: '', why }),
    mode: choice({ default: 'always', choices: ['always', 'interval', 'none'], why }),
  },
  (c) => (c.pageBytes > c.cacheBytes ? ['pageBytes must be at most cacheBytes'] : []),
)

function valueOf<Value>(setting: Setting<Value>, raw: unknown): Value {
  const parsed = setting.parse(raw)
  assert.ok('value' in parsed, `${String(raw)} is taken`)
  return parsed.value
}

function faultOf(setting: Setting<unknown>, raw: unknown): string {
  const parsed = setting.parse(raw)
  assert.ok('fault' in parsed, `${String(raw)} is refused`)
  return parsed.fault
}

describe('kinds of settings', () => {
  test('count takes whole numbers, as text too', () => {
    const { threads } = table.settings
    assert.equal(valueOf(threads, 7), 7)
    assert.equal(valueOf(threads, '7'), 7)
    for (const raw of ['7.0', '7 ', '', 'seven', '1e1', 1.5, Number.NaN, Infinity, true, null, [7], {}]) {
      assert.equal(faultOf(threads, raw), 'must be a whole number')
    }
  })

  test('bytes takes numbers and amounts', () => {
    const { cacheBytes } = table.settings
    assert.equal(valueOf(cacheBytes, 8192), 8192)
    assert.equal(valueOf(cacheBytes, '8192'), 8192)
    assert.equal(valueOf(cacheBytes, '128MiB'), 128 * MiB)
    for (const raw of ['64 MiBs', '', '-1', 8192.5, false, null]) {
      assert.equal(faultOf(cacheBytes, raw), 'must be an amount of bytes such as 64MiB')
    }
  })

  test('duration takes milliseconds and times', () => {
    const { syncAfterMs } = table.settings
    assert.equal(valueOf(syncAfterMs, 250), 250)
    assert.equal(valueOf(syncAfterMs, '250'), 250)
    assert.equal(valueOf(syncAfterMs, '2s'), 2 * second)
    for (const raw of ['2 weeks', '', '1KiB', 0.5, undefined]) {
      assert.equal(faultOf(syncAfterMs, raw), 'must be a duration such as 100ms, 5s or 1h')
    }
  })

  test('numbers are held to their range, both ends included', () => {
    const { threads, syncAfterMs } = table.settings
    assert.equal(valueOf(threads, 1), 1)
    assert.equal(valueOf(threads, 64), 64)
    assert.equal(faultOf(threads, 0), 'must be at least 1')
    assert.equal(faultOf(threads, '-3'), 'must be at least 1')
    assert.equal(faultOf(threads, 65), 'must be at most 64')
    assert.equal(faultOf(syncAfterMs, '2h'), `must be at most ${hour}`)
  })

  test('flag takes true and false and the usual words for them', () => {
    const { verbose } = table.settings
    for (const raw of [true, 'true', 'TRUE', 'yes', 'on', '1']) assert.equal(valueOf(verbose, raw), true)
    for (const raw of [false, 'false', 'No', 'off', '0']) assert.equal(valueOf(verbose, raw), false)
    for (const raw of ['', 'maybe', 1, 0, null, 'constructor'])
      assert.equal(faultOf(verbose, raw), 'must be true or false')
  })

  test('text takes text alone', () => {
    const { label } = table.settings
    assert.equal(valueOf(label, ''), '')
    assert.equal(valueOf(label, 'a b'), 'a b')
    for (const raw of [1, true, null, {}]) assert.equal(faultOf(label, raw), 'must be text')
  })

  test('choice takes its words alone, and suggests the nearest', () => {
    const { mode } = table.settings
    assert.equal(valueOf(mode, 'none'), 'none')
    assert.equal(faultOf(mode, 'allways'), 'must be one of always, interval, none; did you mean always?')
    assert.equal(faultOf(mode, 'NONE!?'), 'must be one of always, interval, none')
    assert.equal(faultOf(mode, 3), 'must be one of always, interval, none')
  })

  test('each kind says what it is, and why it exists', () => {
    const kinds = Object.values<Setting<unknown>>(table.settings).map((setting) => setting.kind)
    assert.deepEqual(kinds, ['count', 'bytes', 'bytes', 'duration', 'flag', 'text', 'choice'])
    for (const setting of Object.values<Setting<unknown>>(table.settings)) assert.equal(setting.why, why)
  })
})

describe('tables', () => {
  test('nothing given is the defaults, and what is given changes no default', () => {
    const defaults = {
      threads: 2,
      cacheBytes: 64 * MiB,
      pageBytes: 4 * KiB,
      syncAfterMs: 100,
      verbose: false,
      label: '',
      mode: 'always',
    }
    assert.deepEqual(table.defaults, defaults)
    assert.deepEqual(table.parse({}), defaults)
    assert.deepEqual(table.parse({ threads: undefined, label: 'x' }), { ...defaults, label: 'x' })
    assert.deepEqual(table.defaults, defaults)
  })

  test('text and typed values are read alike', () => {
    const typed = {
      threads: 8,
      cacheBytes: MiB,
      pageBytes: 8 * KiB,
      syncAfterMs: 5000,
      verbose: true,
      label: 'l',
      mode: 'none',
    }
    const asText = {
      threads: '8',
      cacheBytes: '1MiB',
      pageBytes: '8k',
      syncAfterMs: '5s',
      verbose: 'on',
      label: 'l',
      mode: 'none',
    }
    assert.deepEqual(table.parse(typed), typed)
    assert.deepEqual(table.parse(asText), typed)
  })

  test('every fault is told at once, each with its field and value', () => {
    const { values, faults } = table.read({
      threads: 0,
      cacheBytes: 'much',
      mode: 'sometimes',
      label: 'kept',
      thread: 1,
    })
    assert.deepEqual(faults, [
      { field: 'threads', value: 0, fault: 'must be at least 1' },
      { field: 'cacheBytes', value: 'much', fault: 'must be an amount of bytes such as 64MiB' },
      { field: 'mode', value: 'sometimes', fault: 'must be one of always, interval, none' },
      { field: 'thread', value: 1, fault: 'unknown setting; did you mean threads?' },
    ])
    assert.equal(values.label, 'kept')
    assert.equal(values.threads, 2, 'a faulty setting keeps its default')
  })

  test('parse throws them as one error', () => {
    assert.throws(
      () => table.parse({ threads: 0, verbose: 'perhaps' }),
      (error: unknown) => {
        assert.ok(error instanceof OrbitError)
        assert.ok(hasCode(error, 'config.invalid'))
        assert.equal(error.details.count, 2)
        assert.equal(error.message, 'threads = 0: must be at least 1; verbose = "perhaps": must be true or false')
        return true
      },
    )
  })

  test('an unknown setting is a fault, whatever its name', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', 'zzzzzzzzzzzz']) {
      const { faults } = table.read({ [name]: 1 })
      assert.deepEqual(faults, [{ field: name, value: 1, fault: 'unknown setting' }])
    }
    const { faults } = table.read(JSON.parse('{"__proto__": 1}'))
    assert.deepEqual(faults, [{ field: '__proto__', value: 1, fault: 'unknown setting' }])
  })

  test('a relation that does not hold is a fault of the setting it begins with', () => {
    const { faults } = table.read({ cacheBytes: '4KiB', pageBytes: '8KiB' })
    assert.deepEqual(faults, [{ field: 'pageBytes', value: undefined, fault: 'pageBytes must be at most cacheBytes' }])
    assert.throws(() => table.parse({ cacheBytes: '4KiB', pageBytes: '8KiB' }), {
      code: 'config.invalid',
      message: 'pageBytes must be at most cacheBytes',
    })
  })

  test('relations are judged once every value stands: a default in the place of a faulty one would accuse the others', () => {
    const { faults } = table.read({ cacheBytes: 'big', pageBytes: 1 * MiB, threads: 0 })
    assert.deepEqual(
      faults.map(({ field }) => field),
      ['cacheBytes', 'threads'],
    )
  })
})

describe('the nearest known word', () => {
  const known = ['durability', 'segmentBytes', 'historyMs', 'historyVersionsMax']

  test('is found through a missing, a wrong, an extra and two swapped letters', () => {
    assert.equal(nearest('durabilty', known), 'durability')
    assert.equal(nearest('durabilitx', known), 'durability')
    assert.equal(nearest('durabbility', known), 'durability')
    assert.equal(nearest('segmnetBytes', known), 'segmentBytes')
    assert.equal(nearest('segment_bytes', known), 'segmentBytes')
    assert.equal(nearest('historyMS', known), 'historyMs')
  })

  test('is none where nothing is near', () => {
    assert.equal(nearest('port', known), undefined)
    assert.equal(nearest('', known), undefined)
    assert.equal(nearest('x', []), undefined)
  })

  test('is the word itself where it is known', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1 }), fc.nat(), (words, pick) => {
        const word = words[pick % words.length] as string
        assert.equal(nearest(word, words), word)
      }),
    )
  })
})
