/** Exit codes: every error of the command line has one on purpose, every name in the table is a real error. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cliErrors } from './errors.ts'
import { exitCodeOf, exitCodes } from './exit-codes.ts'

test('codes and names are there once', () => {
  const all = Object.values(exitCodes)
  assert.equal(new Set(all.map(({ code }) => code)).size, all.length)
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length)
})

test('the table names only errors that exist', () => {
  const own = Object.keys(cliErrors.specs).map((name) => `cli.${name}`)
  for (const { errors } of Object.values(exitCodes)) {
    for (const error of errors) {
      if (error.startsWith('cli.') && error !== 'cli.internal') assert.ok(own.includes(error), error)
    }
  }
})

test('an error goes by its own entry, then by its area, then it is ours', () => {
  assert.equal(exitCodeOf('cli.not_found'), 1)
  assert.equal(exitCodeOf('cli.flag_twice'), 2)
  assert.equal(exitCodeOf('config.invalid'), 3)
  assert.equal(exitCodeOf('disk.full'), 4)
  assert.equal(exitCodeOf('engine.newer_format'), 4)
  assert.equal(exitCodeOf('engine.corrupt'), 5)
  assert.equal(exitCodeOf('network.address_in_use'), 6)
  assert.equal(exitCodeOf('cli.bad_record'), 7)
  assert.equal(exitCodeOf('simulation.bad_model'), 7)
  assert.equal(exitCodeOf('base.assertion'), 70)
  assert.equal(exitCodeOf('chart.bad_shape'), 70)
  assert.equal(exitCodeOf('cli.internal'), 70)
  assert.equal(exitCodeOf('unheard.of'), 70)
  assert.equal(exitCodeOf(undefined), 70)
})

test('every error of ours says what and, after a semicolon, the way out', () => {
  for (const [name, { text }] of Object.entries(cliErrors.specs)) {
    if (!['not_found', 'server_error', 'output_closed'].includes(name)) assert.match(text, /; |\{faults\}; /, name)
    assert.ok(!text.includes('\n'), name)
  }
})
