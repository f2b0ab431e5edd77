/** Objects in a bucket of a real S3 server, and what becomes of bytes that it alters. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { hasCode, MiB, Random } from '@orbitkv/base'
import { openBucket, type S3Server, startS3 } from './servers.ts'
import { objectStoreSuite } from './suite.ts'

let server: S3Server
before(async () => {
  server = await startS3()
})
after(() => server.close())

let opened = 0
objectStoreSuite('s3', () => openBucket(server.endpoint, { prefix: `store-${opened++}` }))

test('bytes that the server keeps with the framing of the SDK are found out', async () => {
  const body = new Random(3).bytes(5000)
  const objects = await openBucket(server.endpoint, { prefix: 'f' })
  await objects.put('framed', body)
  const { S3Client, HeadObjectCommand, PutObjectCommand } = await import('@aws-sdk/client-s3')
  const at = { Bucket: 'bucket', Key: 'f/framed' }
  const location = { endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true }
  const byDefault = new S3Client(location)
  const { Metadata = {} } = await byDefault.send(new HeadObjectCommand(at))
  // A stream under the SDK's defaults travels in pieces with a checksum behind them, which this server keeps as they come.
  await byDefault.send(new PutObjectCommand({ ...at, Metadata, Body: Readable.from([body]), ContentLength: 5000 }))
  await assert.rejects(objects.get('framed'), (error: Error) => {
    assert.match(
      error.message,
      /the object framed in the bucket bucket at http:.*is damaged at byte 5000: .*5000 were written/,
    )
    return hasCode(error, 'objects.corrupt')
  })
  const whenRequired = new S3Client({ ...location, requestChecksumCalculation: 'WHEN_REQUIRED' })
  await whenRequired.send(new PutObjectCommand({ ...at, Metadata, Body: Readable.from([body]), ContentLength: 5000 }))
  assert.ok(Buffer.from(await objects.get('framed')).equals(body), 'when required, what was written is what is read')
})

for (const setting of ['when_required', 'when_supported']) {
  test(`service_checksums = ${setting}: our own bodies come back as they were, in parts too`, async () => {
    const settings = { service_checksums: setting }
    const objects = await openBucket(server.endpoint, { prefix: setting.replace('_', '-'), settings })
    for (const bytes of [5000, 17 * MiB]) {
      const body = new Random(bytes).bytes(bytes)
      await objects.put('body', body)
      assert.ok(Buffer.from(await objects.get('body')).equals(body))
    }
  })
}

test('one flipped bit in the bucket is found, with its place; a range beside it is sound', async () => {
  const objects = await openBucket(server.endpoint, { prefix: 'flip' })
  const body = new Random(4).bytes(3 * MiB)
  await objects.put('one', body)
  const path = fileHolding(server.folder, 'flip', 'one')
  const bytes = readFileSync(path)
  bytes[2 * MiB + 77] = (bytes[2 * MiB + 77] as number) ^ 4
  writeFileSync(path, bytes)
  await assert.rejects(objects.get('one'), (error: Error) => {
    return hasCode(error, 'objects.corrupt') && error.message.includes(`byte ${2 * MiB}`)
  })
  await assert.rejects(objects.getRange('one', 2 * MiB, 2 * MiB + 1), (error) => hasCode(error, 'objects.corrupt'))
  const sound = await objects.getRange('one', 10, 2 * MiB)
  assert.ok(Buffer.from(sound).equals(body.subarray(10, 2 * MiB)))
})

test('objects that others put there, without checksums, are not taken for ours', async () => {
  const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3')
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
  await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'foreign/x', Body: Buffer.from('text') }))
  const objects = await openBucket(server.endpoint, { prefix: 'foreign' })
  await assert.rejects(objects.get('x'), (error: Error) => {
    return hasCode(error, 'objects.corrupt') && error.message.includes('no checksums of ours')
  })
})

/** The file in which s3rver keeps an object. */
function fileHolding(folder: string, prefix: string, key: string): string {
  const inBucket = join(folder, 'bucket', prefix)
  const name = readdirSync(inBucket).find((one) => one.startsWith(key) && one.endsWith('object'))
  assert.ok(name !== undefined, readdirSync(inBucket).join())
  return join(inBucket, name)
}
