/** Without the SDK of S3, which is an optional peer, folders work and a bucket is refused by name. */

import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { realRandomUint32 } from '@orbitkv/runtime'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { openObjects } from './target.ts'

const parts = () => ({ disk: new SimulatedDisk(), clock: new SimulatedClock(), randomUint32: realRandomUint32 })

test('a bucket needs the package, and says how to get it; a folder does not', async () => {
  registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.startsWith('@aws-sdk/')) return next(specifier, context)
      throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' })
    },
  })
  await assert.rejects(openObjects('s3://bucket', parts()), (error: Error & { code?: unknown; retry?: unknown }) => {
    assert.deepEqual([error.code, error.retry], ['objects.sdk_missing', 'no'])
    assert.match(error.message, /npm install @aws-sdk\/client-s3/)
    assert.match(String(error.cause), /Cannot find package/)
    return true
  })
  const folder = await openObjects('/folder', parts())
  await folder.put('some/key', Buffer.from('body'))
  assert.equal(Buffer.from(await folder.get('some/key')).toString(), 'body')
})
