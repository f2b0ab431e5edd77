/** A service that is down, slow, failing, overloaded, cutting answers short, or does not let us in. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode, MiB, type OrbitError, Random } from '@orbitkv/base'
import type { ObjectStore } from '@orbitkv/objects'
import { errorAnswer, openBucket, startFaulty, startS3 } from './servers.ts'

/** The error must have a code and name endpoint, bucket and key. */
function names(code: string, endpoint: string): (error: OrbitError) => boolean {
  return (error) => {
    assert.equal(error.code, code, error.message)
    for (const part of [endpoint, 'bucket', 'some/key']) assert.ok(error.message.includes(part), error.message)
    return true
  }
}

const operations: Readonly<Record<string, (objects: ObjectStore) => Promise<unknown>>> = {
  get: (objects) => objects.get('some/key'),
  put: (objects) => objects.put('some/key', Buffer.from('body')),
  parts: (objects) => objects.put('some/key', new Uint8Array(20 * MiB)),
  head: (objects) => objects.head('some/key'),
  delete: (objects) => objects.delete('some/key'),
}

for (const [status, awsCode, code, attempts] of [
  [500, 'InternalError', 'objects.server_failed', 3],
  [503, 'SlowDown', 'objects.overloaded', 3],
  [429, 'TooManyRequests', 'objects.overloaded', 3],
  [403, 'AccessDenied', 'objects.denied', 1],
  [400, 'InvalidRequest', 'objects.refused', 1],
  [400, 'ExpiredToken', 'objects.credentials_expired', 1],
] as const) {
  test(`${status} ${awsCode}: ${code} after ${attempts} attempts`, async () => {
    const server = await startFaulty(errorAnswer(status, awsCode))
    const objects = await openBucket(server.endpoint, { settings: { retry_count: '2' } })
    try {
      for (const [name, run] of Object.entries(operations)) {
        const before = server.requests
        // A HEAD has no body, so it cannot say which error it is.
        if (name === 'head' && [400, 403].includes(status)) continue
        await assert.rejects(run(objects), names(code, server.endpoint))
        assert.equal(server.requests - before, attempts, name)
      }
    } finally {
      objects.close()
      await server.close()
    }
  })
}

test('a bucket that does not exist is named', async () => {
  const server = await startFaulty(errorAnswer(404, 'NoSuchBucket'))
  const objects = await openBucket(server.endpoint)
  await assert.rejects(objects.put('some/key', Buffer.from('x')), names('objects.no_bucket', server.endpoint))
  objects.close()
  await server.close()
})

test('a service that is down: nobody listens', async () => {
  const server = await startFaulty(errorAnswer(500, 'x'))
  await server.close()
  const objects = await openBucket(server.endpoint, { settings: { retry_count: '1' } })
  for (const run of Object.values(operations)) {
    await assert.rejects(run(objects), names('objects.unreachable', server.endpoint))
  }
  objects.close()
})

test('a service that does not answer in time', async () => {
  const server = await startFaulty(() => undefined)
  const objects = await openBucket(server.endpoint, { settings: { retry_count: '1', connection_timeout: '50ms' } })
  await assert.rejects(objects.get('some/key'), names('objects.unreachable', server.endpoint))
  assert.equal(server.requests, 2)
  objects.close()
  await server.close()
})

test('an answer that is cut short', async () => {
  const server = await startFaulty((_, response) => {
    response.writeHead(200, { 'content-length': '100000' })
    response.write(Buffer.alloc(5000))
    response.socket?.end()
  })
  const objects = await openBucket(server.endpoint, { settings: { retry_count: '2' } })
  await assert.rejects(objects.get('some/key'), names('objects.truncated', server.endpoint))
  assert.equal(server.requests, 3)
  objects.close()
  await server.close()
})

test('a service that fails twice and then works: the caller sees nothing of it', async () => {
  const real = await startS3()
  const body = new Random(5).bytes(3 * MiB)
  const direct = await openBucket(real.endpoint)
  await direct.put('some/key', body)
  const stored = await fetchObject(real.endpoint)
  const server = await startFaulty((request, response, number) => {
    if (number === 1) errorAnswer(503, 'SlowDown')(request, response, number)
    else if (number === 2) {
      response.writeHead(200, { ...stored.headers, 'content-length': String(stored.body.length) })
      response.end(Buffer.concat([stored.body.subarray(0, 100), Buffer.alloc(stored.body.length - 100)]))
    } else {
      response.writeHead(200, stored.headers)
      response.end(stored.body)
    }
  })
  const objects = await openBucket(server.endpoint)
  assert.ok(Buffer.from(await objects.get('some/key')).equals(body))
  assert.equal(server.requests, 3)
  objects.close()
  await server.close()
  await real.close()
})

test('an attempt whose answer was lost has created the object: it is not taken for another one', async () => {
  const taken = errorAnswer(412, 'PreconditionFailed')
  let metadata: Record<string, string> = {}
  let puts = 0
  const server = await startFaulty((request, response, number) => {
    if (request.method === 'PUT') {
      puts++
      for (const [name, value] of Object.entries(request.headers)) {
        if (name.startsWith('x-amz-meta-')) metadata = { ...metadata, [name]: String(value) }
      }
      if (puts === 1) response.socket?.destroy()
      else taken(request, response, number)
      return
    }
    response.writeHead(puts === 0 ? 404 : 200, metadata)
    response.end()
  })
  const objects = await openBucket(server.endpoint)
  await objects.put('some/key', Buffer.from('mine'), { ifAbsent: true })
  assert.equal(puts, 2)
  metadata = { ...metadata, 'x-amz-meta-orbit-crc32c': 'AAAAAA==' }
  puts = 0
  const other = await startFaulty((request, response, number) => {
    if (request.method === 'PUT') taken(request, response, number)
    else {
      response.writeHead(404)
      response.end()
    }
  })
  const second = await openBucket(other.endpoint)
  await assert.rejects(second.put('some/key', Buffer.from('mine'), { ifAbsent: true }), (error) =>
    hasCode(error, 'objects.exists'),
  )
  objects.close()
  second.close()
  await server.close()
  await other.close()
})

test('a request that is stopped says so', async () => {
  const server = await startFaulty(() => controller.abort())
  const controller = new AbortController()
  const objects = await openBucket(server.endpoint)
  await assert.rejects(
    objects.get('some/key', { signal: controller.signal }),
    names('objects.stopped', server.endpoint),
  )
  objects.close()
  await server.close()
})

/** The object as the real server answers with it. */
async function fetchObject(endpoint: string): Promise<{ headers: Record<string, string>; body: Buffer }> {
  const { S3Client, GetObjectCommand } = await import('@aws-sdk/client-s3')
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true })
  const { Body, Metadata = {} } = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'some/key' }))
  const body = Buffer.from((await Body?.transformToByteArray()) ?? [])
  const headers = Object.fromEntries(Object.entries(Metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]))
  client.destroy()
  return { headers, body }
}
