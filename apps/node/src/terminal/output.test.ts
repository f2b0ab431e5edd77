/** Output: blocks, back-pressure, and a reader that goes away. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '@orbitkv/base'
import { Output, type OutputStream } from './output.ts'

function stream(accept: (data: string | Uint8Array) => Error | undefined): OutputStream {
  return {
    write(data, done) {
      const error = accept(data)
      queueMicrotask(() => done(error))
      return error === undefined
    },
    on: () => undefined,
  }
}

test('text is gathered until a block is full, and everything goes out in order', async () => {
  const written: (string | Uint8Array)[] = []
  const output = new Output(
    stream((data) => void written.push(data)),
    {},
  )
  assert.equal(output.add('a'), false)
  assert.equal(output.add('b'.repeat(64 * 1024)), true)
  assert.deepEqual(written, [])
  await output.bytes(Uint8Array.from([1]))
  assert.equal(written.length, 2)
  assert.equal(written[0], `a${'b'.repeat(64 * 1024)}`)
})

test('a reader that went away is an error of its own, at once and ever after', async () => {
  const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  const output = new Output(
    stream(() => gone),
    {},
  )
  await assert.rejects(output.text('x'), (error) => hasCode(error, 'cli.output_closed'))
  await assert.rejects(output.text('x'), (error) => hasCode(error, 'cli.output_closed'))
})

test('another failure names standard output', async () => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  await assert.rejects(
    new Output(
      stream(() => full),
      {},
    ).text('x'),
    /standard output cannot be written \(ENOSPC\)/,
  )
})
