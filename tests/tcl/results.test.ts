/** The output of the suite is read as it comes, and compared with what is kept. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, keep, readOutput } from './results.ts'

const output = [
  'Starting test server at port 30771',
  '\u001b[32m[ok]\u001b[0m: INCR against non existing key (1 ms)',
  '[\u001b[0;32mok\u001b[0m]: INCR against key (again) (12 ms)',
  '[\u001b[0;31merr\u001b[0m]: INCR shares objects in tests/unit/type/incr.tcl',
  'Expected 1 to be 2',
  '*** [err]: INCR shares objects in tests/unit/type/incr.tcl',
].join('\n')

test('passed and failed tests are counted once, whatever their colour', () => {
  assert.deepEqual(readOutput(output, 4), { tests: 4, passed: 2, failed: ['INCR shares objects'] })
})

test('a failure that is expected is no difference, one that is not is', () => {
  const result = readOutput(output, 4)
  const kept = { tests: 4, passed: 2, failures: [{ reason: 'no shared objects', tests: ['INCR shares objects'] }] }
  assert.deepEqual(differences('unit/incr', result, kept), [])
  assert.deepEqual(differences('unit/incr', result, { ...kept, failures: [] }), [
    'unit/incr: fails unexpectedly: INCR shares objects',
  ])
  assert.deepEqual(differences('unit/incr', result, { ...kept, passed: 3 }), [
    'unit/incr: 2 of 4 tests pass, where 3 did',
  ])
})

test('kept results know their reasons, and how many tests were not reached', () => {
  const result = readOutput(output, 4)
  const kept = { tests: 4, passed: 2, failures: [{ reason: 'no shared objects', tests: ['INCR shares objects'] }] }
  assert.deepEqual(keep(result, kept), {
    tests: 4,
    passed: 2,
    failures: [
      { reason: 'no shared objects', tests: ['INCR shares objects'] },
      { reason: '', tests: ['1 tests behind a failed one'] },
    ],
  })
})
