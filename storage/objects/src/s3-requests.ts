/**
 * The requests to S3, one by one, through the AWS SDK: an optional peer, loaded when a bucket is first opened. What each
 * throws is the SDK's; s3.ts names it.
 */

import { second } from '@orbitkv/base'
import type { S3Config } from './config.ts'
import { objectsErrors } from './errors.ts'

export interface Answer {
  readonly body: Uint8Array
  readonly metadata: Readonly<Record<string, string>>
}

interface PutRequest {
  readonly metadata: Record<string, string>
  readonly ifAbsent: boolean
  readonly signal: AbortSignal | undefined
}

export interface S3Requests {
  /** Where it talks to. */
  readonly endpoint: string
  put(key: string, body: Uint8Array, request: PutRequest): Promise<void>
  beginParts(key: string, request: PutRequest): Promise<string>
  putPart(key: string, upload: string, part: number, body: Uint8Array, signal?: AbortSignal): Promise<string>
  endParts(key: string, upload: string, tags: readonly string[], request: PutRequest): Promise<void>
  dropParts(key: string, upload: string): Promise<void>
  get(key: string, range: { from: number; to: number } | undefined, signal?: AbortSignal): Promise<Answer>
  head(key: string, signal?: AbortSignal): Promise<{ bytes: number; metadata: Readonly<Record<string, string>> }>
  list(prefix: string, after: string | undefined, signal?: AbortSignal): Promise<{ keys: string[]; next?: string }>
  delete(key: string, signal?: AbortSignal): Promise<void>
  close(): void
}

/** Connections to the service that one door holds at most. */
const connectionsMax = 16

export async function openS3(config: S3Config): Promise<S3Requests> {
  const sdk = await import('@aws-sdk/client-s3').catch((error: unknown) => {
    throw objectsErrors.sdk_missing({}, error)
  })
  const { bucket: Bucket, connectionTimeout } = config
  const endpoint = endpointOf(config)
  // Elsewhere than at Amazon the name of the region is part of the signature and nothing more.
  const region = config.region === '' && endpoint !== undefined ? 'us-east-1' : config.region
  const checksums = config.serviceChecksums === 'when_supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED'
  const client = new sdk.S3Client({
    ...(region === '' ? {} : { region }),
    // A name of its own for each bucket is Amazon's; others seldom have it.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    maxAttempts: 1,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    requestHandler: {
      connectionTimeout,
      // Of silence, not of the whole request: a large part may take longer on a slow line.
      socketTimeout: connectionTimeout,
      socketAcquisitionWarningTimeout: 3600 * second,
      httpAgent: { keepAlive: true, maxSockets: connectionsMax },
      httpsAgent: { keepAlive: true, maxSockets: connectionsMax },
    },
  })
  const sse = config.enableServerSideEncryption ? { ServerSideEncryption: 'AES256' as const } : {}
  const until = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })
  return {
    endpoint: endpoint ?? ['s3', region, 'amazonaws.com'].filter((part) => part !== '').join('.'),
    async put(Key, Body, { metadata, ifAbsent, signal }) {
      const condition = ifAbsent ? { IfNoneMatch: '*' } : {}
      await client.send(
        new sdk.PutObjectCommand({ Bucket, Key, Body, Metadata: metadata, ...condition, ...sse }),
        until(signal),
      )
    },
    async beginParts(Key, { metadata, signal }) {
      const command = new sdk.CreateMultipartUploadCommand({ Bucket, Key, Metadata: metadata, ...sse })
      return (await client.send(command, until(signal))).UploadId ?? ''
    },
    async putPart(Key, UploadId, PartNumber, Body, signal) {
      const command = new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body })
      return (await client.send(command, until(signal))).ETag ?? ''
    },
    async endParts(Key, UploadId, tags, { ifAbsent, signal }) {
      const MultipartUpload = { Parts: tags.map((ETag, i) => ({ ETag, PartNumber: i + 1 })) }
      const condition = ifAbsent ? { IfNoneMatch: '*' } : {}
      await client.send(
        new sdk.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, ...condition }),
        until(signal),
      )
    },
    async dropParts(Key, UploadId) {
      await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
    },
    async get(Key, range, signal) {
      const Range = range === undefined ? {} : { Range: `bytes=${range.from}-${range.to - 1}` }
      const { Body, Metadata } = await client.send(new sdk.GetObjectCommand({ Bucket, Key, ...Range }), until(signal))
      const body = Body === undefined ? new Uint8Array(0) : await Body.transformToByteArray()
      return { body, metadata: Metadata ?? {} }
    },
    async head(Key, signal) {
      const { ContentLength, Metadata } = await client.send(new sdk.HeadObjectCommand({ Bucket, Key }), until(signal))
      return { bytes: ContentLength ?? 0, metadata: Metadata ?? {} }
    },
    async list(Prefix, after, signal) {
      const more = after === undefined ? {} : { ContinuationToken: after }
      const page = await client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix, ...more }), until(signal))
      const keys = (page.Contents ?? []).map(({ Key }) => Key ?? '')
      return { keys, ...(page.NextContinuationToken === undefined ? {} : { next: page.NextContinuationToken }) }
    },
    async delete(Key, signal) {
      await client.send(new sdk.DeleteObjectCommand({ Bucket, Key }), until(signal))
    },
    close() {
      client.destroy()
    },
  }
}

/** The whole address; undefined for Amazon's own. */
function endpointOf({ endpoint, enableSsl }: S3Config): string | undefined {
  if (endpoint === '') return undefined
  if (!/^https?:\/\//.test(endpoint)) return `${enableSsl ? 'https' : 'http'}://${endpoint}`
  if (enableSsl && endpoint.startsWith('http://')) {
    throw objectsErrors.bad_target({ target: endpoint, problem: 'it is not encrypted, but enable_ssl is true' })
  }
  return endpoint
}
