/** Assertions: what passes, what stops, and how a failed one is known from a caller's mistake. */

import strict from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AssertionError, assert, unreachable } from './assert.ts'
import { hasCode, OrbitError } from './errors.ts'

describe('assertions', () => {
  test('a condition that holds passes, and narrows the type', () => {
    const found: string | undefined = ['x'].find((text) => text === 'x')
    assert(found !== undefined, 'x is there')
    strict.equal(found.length, 1)
  })

  test('one that does not hold throws its message, under a code of its own', () => {
    strict.throws(
      () => assert(false, 'the sky is up'),
      (error: unknown) => {
        strict.ok(error instanceof AssertionError)
        strict.equal(error.name, 'AssertionError')
        strict.equal(error.message, 'the sky is up')
        strict.ok(hasCode(error, 'base.assertion'))
        strict.equal(error instanceof OrbitError, false, 'a bug of ours is no error to be handled')
        return true
      },
    )
  })

  test('a branch that the types rule out names the value that came', () => {
    strict.throws(() => unreachable('surprise' as never), { name: 'AssertionError', message: 'unreachable: surprise' })
    strict.throws(() => unreachable(Symbol('s') as never), {
      name: 'AssertionError',
      message: 'unreachable: Symbol(s)',
    })
  })
})
