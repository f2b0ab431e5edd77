/** Servers that the tests of object stores talk to: a real S3 server, and one that does what a test tells it. */

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ObjectStore, openObjects } from '@orbitkv/objects'
import { type Clock, realClock, realDisk, realRandomUint32 } from '@orbitkv/runtime'

/** As much of s3rver as is used; the package has no types. */
interface S3rver {
  run(): Promise<AddressInfo>
  close(): Promise<void>
}
type S3rverClass = new (options: Record<string, unknown>) => S3rver

// The credentials that s3rver knows. Every test of this folder reaches loopback only.
process.env.AWS_ACCESS_KEY_ID = 'S3RVER'
process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER'
process.env.AWS_EC2_METADATA_DISABLED = 'true'

export interface S3Server {
  readonly endpoint: string
  readonly folder: string
  close(): Promise<void>
}

/** A real S3 server on loopback with one bucket, `bucket`. */
export async function startS3(): Promise<S3Server> {
  const S3rverClass = createRequire(import.meta.url)('s3rver') as S3rverClass
  const folder = mkdtempSync(join(tmpdir(), 'orbit-s3-'))
  const server = new S3rverClass({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: 'bucket' }],
  })
  const { port } = await server.run()
  return {
    endpoint: `http://127.0.0.1:${port}`,
    folder,
    async close() {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export interface OpenOptions {
  readonly prefix?: string
  readonly settings?: Readonly<Record<string, string>>
  readonly clock?: Clock
}

export function openBucket(endpoint: string, { prefix = '', settings = {}, clock = realClock }: OpenOptions = {}) {
  const query = new URLSearchParams({ endpoint, ...settings }).toString()
  return openObjects(`s3://bucket/${prefix}?${query}`, {
    disk: realDisk(),
    clock: impatient(clock),
    randomUint32: realRandomUint32,
  }) as Promise<ObjectStore>
}

/** A clock whose timers end at once: nothing here is about how long a pause takes. */
function impatient(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (_, run) => clock.after(0, run),
    sleep: () => clock.turn(),
    turn: () => clock.turn(),
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse, number: number) => void

export interface FaultyServer {
  readonly endpoint: string
  /** Requests so far. */
  readonly requests: number
  answer: Answer
  close(): Promise<void>
}

/** A server that answers as it is told. */
export async function startFaulty(answer: Answer): Promise<FaultyServer> {
  let requests = 0
  const server: Server = createServer((request, response) => {
    requests++
    // Read to the end first: else the client would see its own writing fail.
    request.on('data', () => undefined)
    request.on('end', () => faulty.answer(request, response, requests))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const faulty: FaultyServer = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests
    },
    answer,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return faulty
}

/** An error as S3 writes it. */
export function errorAnswer(status: number, code: string): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/xml' })
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test wants</Message></Error>`)
  }
}
