/** Targets as text: which are refused, and why. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '@orbitkv/base'
import { SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { objectBytesMax } from './checksums.ts'
import { openObjects } from './target.ts'

const options = { disk: new SimulatedDisk(), clock: new SimulatedClock(), randomUint32: () => 7 }

const refused: [target: string, message: RegExp][] = [
  ['', /name a folder/],
  ['ftp://host/path', /only folders and s3/],
  ['s3://', /is no name of a bucket/],
  ['s3://UPPER/prefix', /'UPPER' is no name of a bucket/],
  ['s3://bucket?retry_count=x', /retryCount/],
  ['s3://bucket?no_such=1', /noSuch/],
]

for (const [target, message] of refused) {
  test(`the target '${target}' is refused by name`, async () => {
    await assert.rejects(openObjects(target, options), (error: Error) => {
      assert.match(error.message, message)
      return hasCode(error, 'objects.bad_target')
    })
  })
}

test('an object that is too large is refused before anything is written', async () => {
  const objects = await openObjects('/folder', options)
  const body = { length: objectBytesMax + 1 } as Uint8Array
  await assert.rejects(objects.put('key', body), (error: Error) => hasCode(error, 'objects.too_large'))
  assert.equal(options.disk.exists('/folder'), false)
})
