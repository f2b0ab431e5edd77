/** Without any credentials a bucket is refused by name, before anything is sent. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { OrbitError } from '@orbitkv/base'
import { openObjects } from '@orbitkv/objects'
import { realClock, realDisk, realRandomUint32 } from '@orbitkv/runtime'
import { errorAnswer, startFaulty } from './servers.ts'

test('no environment, no profile, no role: objects.no_credentials, at once', async () => {
  const home = mkdtempSync(join(tmpdir(), 'orbit-no-credentials-'))
  const server = await startFaulty(errorAnswer(500, 'InternalError'))
  // This file has a process of its own. The role of a machine would be asked for over the network.
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  Object.assign(process.env, { HOME: home, AWS_EC2_METADATA_DISABLED: 'true' })
  const target = `s3://bucket/prefix?endpoint=${server.endpoint}`
  const objects = await openObjects(target, { disk: realDisk(), clock: realClock, randomUint32: realRandomUint32 })
  try {
    for (const request of [() => objects.put('some/key', Buffer.from('x')), () => objects.get('some/key')]) {
      await assert.rejects(request(), (error: OrbitError) => {
        assert.deepEqual([error.code, error.retry], ['objects.no_credentials', 'no'], error.message)
        assert.ok(error.message.includes(server.endpoint) && /AWS_ACCESS_KEY_ID/.test(error.message), error.message)
        return true
      })
    }
    assert.equal(server.requests, 0)
  } finally {
    objects.close()
    await server.close()
    rmSync(home, { recursive: true })
  }
})
