/** Log lines: for people and for collectors, one line each whatever the error says. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineErrors } from '@orbitkv/base'
import { SimulatedClock } from '@orbitkv/runtime/simulated'
import { differences, schemas } from '../schemas.ts'
import { plain } from '../terminal/styles.ts'
import { type LogFormat, makeLogger } from './log.ts'

function logger(format: LogFormat, debug = false) {
  const lines: string[] = []
  const notes = { styles: plain, line: (text: string) => void lines.push(text) }
  return { lines, logger: makeLogger({ notes, clock: new SimulatedClock(), format, debug }) }
}

test('for people: time, level, message, facts', () => {
  const { lines, logger: log } = logger('human')
  log.tell('info', 'ready', { url: 'redis://x', within: '10 s', keys: 5 })
  assert.match(
    lines[0] as string,
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info {2}ready url=redis:\/\/x within="10 s" keys=5$/,
  )
})

test('for collectors: one JSON document a line, errors with their code', () => {
  const { lines, logger: log } = logger('json')
  const errors = defineErrors('trial', { bad: { retry: 'no', text: 'two\nlines' } })
  log.log('error', 'it failed', errors.bad())
  const document: unknown = JSON.parse(lines[0] as string)
  assert.deepEqual(differences(document, schemas.log.fields, true), [])
  const { code, error } = document as { code: string; error: string }
  assert.equal(code, 'trial.bad')
  assert.equal(error, 'two lines')
})

test('debug lines and stacks only when asked for', () => {
  const quiet = logger('json')
  quiet.logger.log('debug', 'detail')
  assert.deepEqual(quiet.lines, [])
  const loud = logger('json', true)
  loud.logger.log('debug', 'detail', new Error('x'))
  assert.match(loud.lines[0] as string, /"stack":"Error: x/)
})
