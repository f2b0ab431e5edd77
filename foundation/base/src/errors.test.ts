/** Coded errors: what a caller sees of them, and that a table gives exactly the codes it declares. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defineErrors, hasCode, OrbitError } from './errors.ts'

const errors = defineErrors('kettle', {
  too_hot: { retry: 'later', text: '{what} is at {degrees} degrees; let {what} cool' },
  broken: { retry: 'no', text: 'it is broken' },
})

describe('coded errors', () => {
  test('an error has its code, its advice on retrying, its details and its text', () => {
    const error = errors.too_hot({ what: 'the water', degrees: 101 })
    assert.ok(error instanceof OrbitError)
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'OrbitError')
    assert.equal(error.code, 'kettle.too_hot')
    assert.equal(error.retry, 'later')
    assert.deepEqual(error.details, { what: 'the water', degrees: 101 })
    assert.equal(error.message, 'the water is at 101 degrees; let the water cool')
    assert.equal(errors.broken().retry, 'no')
    assert.equal(errors.broken().message, 'it is broken')
  })

  test('the stack begins with the text, for whoever prints it', () => {
    assert.match(errors.broken().stack ?? '', /^(OrbitError|Error): it is broken\n/)
  })

  test('a detail that is not given stays visible in the text, and no other property is taken for one', () => {
    assert.equal(errors.too_hot({ what: 'it' }).message, 'it is at {degrees} degrees; let it cool')
    assert.equal(errors.too_hot({ what: 'it', degrees: undefined }).message, 'it is at undefined degrees; let it cool')
    const odd = defineErrors('odd', { name: { retry: 'no', text: '{constructor} {toString}' } })
    assert.equal(odd.name().message, '{constructor} {toString}')
  })

  test('a detail is put in as it is, patterns of replacement and braces included', () => {
    assert.equal(
      errors.too_hot({ what: '$& {degrees}', degrees: 7 }).message,
      '$& {degrees} is at 7 degrees; let $& {degrees} cool',
    )
  })

  test('the cause is kept, and is absent where there is none', () => {
    const cause = new Error('the wire melted')
    assert.equal(errors.broken({}, cause).cause, cause)
    assert.equal('cause' in errors.broken(), false)
    assert.equal(errors.broken({}, 'a text').cause, 'a text')
  })

  test('a table tells its area and its specs', () => {
    assert.equal(errors.area, 'kettle')
    assert.deepEqual(Object.keys(errors.specs), ['too_hot', 'broken'])
  })

  test('hasCode compares the code of errors alone, whichever class made them', () => {
    assert.equal(hasCode(errors.broken(), 'kettle.broken'), true)
    assert.equal(hasCode(errors.broken(), 'kettle.too_hot'), false)
    const foreign = Object.assign(new Error('from another copy of the package'), { code: 'kettle.broken' })
    assert.equal(hasCode(foreign, 'kettle.broken'), true)
    assert.equal(hasCode(new Error('no code'), 'kettle.broken'), false)
    for (const other of [undefined, null, 'kettle.broken', { code: 'kettle.broken' }]) {
      assert.equal(hasCode(other, 'kettle.broken'), false)
    }
  })
})
