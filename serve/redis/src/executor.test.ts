/** The executor: what commands throw, and how they are found. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineErrors } from '@orbitkv/engine'
import type { Call, CommandSpec } from './commands/command.ts'
import { allCommands } from './commands/index.ts'
import { CommandIndex, commandTable } from './commands/table.ts'
import { Executor } from './executor.ts'
import type { LogLevel } from './log.ts'
import { nobody } from './nobody.ts'
import { Arguments } from './protocol/arguments.ts'
import { BufferPool } from './protocol/buffers.ts'
import { ReplyWriter } from './protocol/reply.ts'
import type { Session } from './session.ts'
import { newStats } from './stats.ts'

function throwing(error: unknown): CommandSpec {
  return {
    name: 'fail',
    arity: 1,
    flags: [],
    group: 'server',
    categories: [],
    since: '0',
    complexity: 'O(1)',
    summary: '',
    syntax: '',
    run: ({ reply }) => {
      reply.array(2)
      reply.bulkText('the first half')
      throw error
    },
  }
}

/** Runs the one command FAIL; returns its reply and what was logged. */
function run(error: unknown): { reply: string; logged: [LogLevel, unknown][] } {
  const logged: [LogLevel, unknown][] = []
  const executor = new Executor(commandTable([throwing(error)]), (level, _message, cause) =>
    logged.push([level, cause]),
  )
  const stats = newStats()
  const writer = new ReplyWriter<Session>(new BufferPool(1_000_000), { outputBytesMax: 1_000_000 }, stats)
  const found = new Arguments()
  found.bytes = Buffer.from('FAIL')
  found.add(0, 4)
  const session = { ...nobody }
  const timings = { now: () => 0, ended() {} }
  const notifications = { isOn: false, failed() {} }
  const pauses = { isOn: false }
  writer.begin(session)
  const call = {
    arguments: found,
    reply: writer,
    session,
    server: { stats, timings, notifications, pauses, memoryLimit: { bytesMax: 0 } },
    databases: { drop() {} },
  }
  // Only what the executor itself uses: the command does nothing with the rest.
  executor.run(call as unknown as Call)
  writer.end()
  const { slices } = writer
  const bytes = slices.chunks[0]?.bytes.slice(slices.starts[0], slices.ends[0]) ?? new Uint8Array(0)
  assert.equal(slices.count, 1)
  assert.equal(stats.errorReplies, 1)
  return { reply: Buffer.from(bytes).toString(), logged }
}

test('an unforeseen exception is told to the client as such, logged, and nothing of the reply remains', () => {
  const error = new TypeError('a bug of ours')
  assert.deepEqual(run(error), { reply: '-ERR internal error\r\n', logged: [['error', error]] })
  assert.deepEqual(run('not even an error'), {
    reply: '-ERR internal error\r\n',
    logged: [['error', 'not even an error']],
  })
})

test('errors of the store keep their text and get the prefix that clients know', () => {
  const cases: [error: Error, prefix: string][] = [
    [engineErrors.full({ path: '/data' }), 'MISCONF'],
    [engineErrors.store_full({ bytes: 2, max: 1 }), 'MISCONF'],
    [engineErrors.index_full({ bytes: 2, max: 1 }), 'OOM'],
    [engineErrors.poisoned({ path: '/data', reason: 'EIO' }), 'MISCONF'],
    [engineErrors.closed({ path: '/data' }), 'MISCONF'],
    [engineErrors.read_only({ path: '/data', reason: 'damage' }), 'READONLY'],
    [engineErrors.value_too_large({ bytes: 2, max: 1 }), 'ERR'],
    [engineErrors.key_too_large({ bytes: 2, max: 1 }), 'ERR'],
    [engineErrors.batch_too_large({ size: 2, unit: 'bytes', max: 1 }), 'ERR'],
    [engineErrors.corrupt({ file: 'f', offset: 1, problem: 'p' }), 'ERR'],
  ]
  for (const [error, prefix] of cases) {
    assert.deepEqual(run(error), { reply: `-${prefix} ${error.message}\r\n`, logged: [] })
  }
})

test('every command is found by its bytes, in any case, and nothing else is', () => {
  const table = allCommands()
  const index = new CommandIndex(table)
  const find = (name: string): string | undefined => {
    const bytes = Buffer.from(`..${name}..`, 'latin1')
    return index.find(bytes, 2, bytes.length - 2)?.name
  }
  for (const name of table.keys()) {
    const mixed = [...name].map((letter, i) => (i % 2 === 0 ? letter.toUpperCase() : letter)).join('')
    for (const spelling of [name, name.toUpperCase(), mixed]) assert.equal(find(spelling), name)
    assert.equal(find(`${name}x`), table.get(`${name}x`)?.name)
    assert.equal(find(name.slice(1)), table.get(name.slice(1))?.name)
  }
  for (const name of ['', 'g', 'G\x05T', 'x'.repeat(10_000), 'g%t']) assert.equal(find(name), undefined)
})
