/** Interrupts: one Ctrl-C is one, however many processes it reaches; the end of the launcher stops the child. */

import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { Interrupts } from './interrupts.ts'

function attached() {
  const source = new EventEmitter()
  const interrupts = new Interrupts()
  const state = { atOnce: 0 }
  interrupts.attach(source, () => state.atOnce++)
  return { source, interrupts, state }
}

test('the first asks to stop, the second stops at once', () => {
  const { source, interrupts, state } = attached()
  assert.equal(interrupts.signal.aborted, false)
  source.emit('SIGINT')
  assert.equal(interrupts.signal.aborted, true)
  assert.equal(interrupts.first, 'SIGINT')
  assert.equal(interrupts.exitCode, 130)
  assert.equal(state.atOnce, 0)
  source.emit('SIGTERM')
  assert.equal(state.atOnce, 1)
})

test('Ctrl-C that reaches launcher and child counts once, in either order; the next one counts again', () => {
  for (const order of [
    ['direct', 'passed'],
    ['passed', 'direct'],
  ]) {
    const { source, state } = attached()
    const send = (way: string) =>
      way === 'direct' ? source.emit('SIGINT') : source.emit('message', { signal: 'SIGINT' })
    for (const way of order) send(way)
    assert.equal(state.atOnce, 0)
    for (const way of order) send(way)
    assert.equal(state.atOnce, 1)
  }
})

test('two signals that only the launcher got are two', () => {
  const { source, interrupts, state } = attached()
  source.emit('message', { signal: 'SIGTERM' })
  assert.equal(interrupts.first, 'SIGTERM')
  assert.equal(interrupts.exitCode, 143)
  source.emit('message', { signal: 'SIGTERM' })
  assert.equal(state.atOnce, 1)
})

test('messages that are none of ours are passed over', () => {
  const { source, interrupts } = attached()
  for (const message of [null, 'x', 5, {}, { signal: 'SIGKILL' }]) source.emit('message', message)
  assert.equal(interrupts.signal.aborted, false)
})

test('the end of the launcher stops the child as SIGTERM does, and adds nothing to an earlier signal', () => {
  const { source, interrupts } = attached()
  source.emit('disconnect')
  assert.equal(interrupts.first, 'SIGTERM')
  const second = attached()
  second.source.emit('SIGINT')
  second.source.emit('disconnect')
  assert.equal(second.state.atOnce, 0)
  assert.equal(second.interrupts.first, 'SIGINT')
})
