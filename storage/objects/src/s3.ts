/**
 * Objects in a bucket of S3, or of a service that speaks as S3 does. Checksums go along as metadata
 * (`x-amz-meta-orbit-crc32c`, `x-amz-meta-orbit-bytes`). Large objects go in parts, several at once.
 *
 * Retries are ours, through the clock (retry.ts): the SDK is asked for one attempt at a time. Credentials are found the usual way: the
 * environment, profiles, the machine's role.
 */

import { assert, MiB } from '@orbitkv/base'
import type { Clock, RandomUint32 } from '@orbitkv/runtime'
import {
  blockBytes,
  blockCount,
  checksumsFromText,
  checksumsToText,
  findDamage,
  makeChecksums,
  objectBytesMax,
} from './checksums.ts'
import type { S3Config } from './config.ts'
import { objectsErrors } from './errors.ts'
import { checkKey } from './keys.ts'
import { retrying } from './retry.ts'
import { classifyFailure } from './s3-failures.ts'
import { type Answer, openS3, type S3Requests } from './s3-requests.ts'
import type { ObjectInfo, ObjectStore, PutOptions, RequestOptions } from './types.ts'

/** Larger objects go in parts of this; S3 takes none below 5 MiB, but for the last. */
const partBytes = 8 * MiB
const partsAtOnce = 4

export interface S3Options {
  readonly clock: Clock
  readonly randomUint32: RandomUint32
  readonly config: S3Config
}

export async function openS3Objects(options: S3Options): Promise<ObjectStore> {
  return new S3Objects(options, await openS3(options.config))
}

class S3Objects implements ObjectStore {
  readonly where: string
  readonly #options: S3Options
  readonly #requests: S3Requests
  readonly #prefix: string

  constructor(options: S3Options, requests: S3Requests) {
    this.#options = options
    this.#requests = requests
    const { bucket, prefix } = options.config
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.where = `the bucket ${bucket} at ${requests.endpoint}`
  }

  async put(key: string, body: Uint8Array, { ifAbsent = false, signal }: PutOptions = {}): Promise<void> {
    checkKey(key)
    if (body.length > objectBytesMax) throw objectsErrors.too_large({ key, bytes: body.length, max: objectBytesMax })
    const checksums = checksumsToText(await makeChecksums(body, this.#options.clock))
    const metadata = { 'orbit-crc32c': checksums, 'orbit-bytes': String(body.length) }
    // Not every service looks at If-None-Match: those that do not are asked beforehand, which leaves a gap in between.
    if (ifAbsent && (await this.head(key, { signal: signal as AbortSignal })) !== undefined) {
      throw objectsErrors.exists({ key, where: this.where })
    }
    const options = { metadata, ifAbsent, signal }
    await this.#retrying('writing', key, signal, async (attempt) => {
      try {
        if (body.length > 2 * partBytes) await this.#putParts(key, body, options)
        else await this.#requests.put(this.#prefix + key, body, options)
      } catch (error) {
        // It may be there because an earlier attempt put it there, whose answer was lost.
        if (attempt === 1 || !isTaken(error)) throw error
        const { metadata: found } = await this.#requests.head(this.#prefix + key, signal)
        if (found['orbit-crc32c'] !== checksums) throw error
      }
    })
  }

  async #putParts(
    key: string,
    body: Uint8Array,
    options: { metadata: Record<string, string>; ifAbsent: boolean; signal: AbortSignal | undefined },
  ): Promise<void> {
    const name = this.#prefix + key
    const { signal } = options
    const upload = await this.#requests.beginParts(name, options)
    const count = Math.ceil(body.length / partBytes)
    const tags: string[] = []
    let next = 0
    const work = async (): Promise<void> => {
      for (let part = next++; part < count; part = next++) {
        const bytes = body.subarray(part * partBytes, Math.min(body.length, (part + 1) * partBytes))
        tags[part] = await this.#retrying(`writing part ${part + 1} of`, key, signal, () =>
          this.#requests.putPart(name, upload, part + 1, bytes, signal),
        )
      }
    }
    try {
      const ended = await Promise.allSettled(Array.from({ length: Math.min(count, partsAtOnce) }, work))
      for (const result of ended) if (result.status === 'rejected') throw result.reason
      await this.#requests.endParts(name, upload, tags, options)
    } catch (error) {
      // What was written of it would be paid for ever; if this fails too, a lifecycle rule of the bucket removes it.
      await this.#requests.dropParts(name, upload).catch(() => undefined)
      throw error
    }
  }

  get(key: string, { signal }: RequestOptions = {}): Promise<Uint8Array> {
    checkKey(key)
    return this.#retrying('reading', key, signal, async () => {
      const answer = await this.#requests.get(this.#prefix + key, undefined, signal)
      const { bytes, checksums } = this.#checksumsOf(key, answer)
      if (answer.body.length !== bytes) throw this.#cutShort(key, answer.body.length, bytes)
      await this.#check(key, answer.body, 0, checksums)
      return answer.body
    })
  }

  getRange(key: string, start: number, end: number, { signal }: RequestOptions = {}): Promise<Uint8Array> {
    checkKey(key)
    assert(start >= 0 && start <= end, 'a range ends behind its start')
    if (start === end) return Promise.resolve(new Uint8Array(0))
    const first = Math.floor(start / blockBytes)
    const from = first * blockBytes
    return this.#retrying('reading', key, signal, async () => {
      const answer = await this.#requests.get(this.#prefix + key, { from, to: blockCount(end) * blockBytes }, signal)
      const { bytes, checksums } = this.#checksumsOf(key, answer)
      const expected = Math.max(0, Math.min(bytes, blockCount(end) * blockBytes) - from)
      if (answer.body.length !== expected) throw this.#cutShort(key, answer.body.length, expected)
      await this.#check(key, answer.body, first, checksums)
      return answer.body.subarray(start - from, Math.max(start - from, Math.min(end, bytes) - from))
    })
  }

  async head(key: string, { signal }: RequestOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key)
    return this.#retrying('looking for', key, signal, async () => {
      try {
        const { metadata, bytes } = await this.#requests.head(this.#prefix + key, signal)
        return { key, bytes: Number(metadata['orbit-bytes'] ?? bytes) }
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    })
  }

  async *list(prefix: string, { signal }: RequestOptions = {}): AsyncIterable<string> {
    let after: string | undefined
    do {
      const page = await this.#retrying('listing', prefix, signal, () =>
        this.#requests.list(this.#prefix + prefix, after, signal),
      )
      for (const key of page.keys) yield key.slice(this.#prefix.length)
      after = page.next
    } while (after !== undefined)
  }

  async delete(key: string, { signal }: RequestOptions = {}): Promise<void> {
    checkKey(key)
    await this.#retrying('deleting', key, signal, () => this.#requests.delete(this.#prefix + key, signal))
  }

  /** Parts of uploads that were never ended are for a lifecycle rule of the bucket: nobody else knows whose they are. */
  sweep(): Promise<number> {
    return Promise.resolve(0)
  }

  close(): void {
    this.#requests.close()
  }

  #retrying<Result>(
    operation: string,
    key: string,
    signal: AbortSignal | undefined,
    attempt: (number: number) => Promise<Result>,
  ): Promise<Result> {
    const { clock, randomUint32, config } = this.#options
    const name = { operation, key, where: this.where }
    return retrying({ clock, randomUint32, retryCount: config.retryCount, signal }, attempt, (error) =>
      classifyFailure(error, name),
    )
  }

  #checksumsOf(key: string, { metadata }: Answer): { bytes: number; checksums: Uint32Array } {
    const bytes = Number(metadata['orbit-bytes'] ?? Number.NaN)
    const checksums = Number.isInteger(bytes) ? checksumsFromText(metadata['orbit-crc32c'] ?? '', bytes) : undefined
    if (checksums === undefined) throw this.#corrupt(key, 0, 'its metadata has no checksums of ours')
    return { bytes, checksums }
  }

  async #check(key: string, body: Uint8Array, first: number, checksums: Uint32Array): Promise<void> {
    const damaged = await findDamage(body, first, checksums, this.#options.clock)
    if (damaged !== undefined) throw this.#corrupt(key, damaged, 'the checksum of a MiB does not match')
  }

  /** Fewer bytes were lost on the way, or by the service; more were never written by us. */
  #cutShort(key: string, found: number, expected: number): Error {
    return this.#corrupt(key, Math.min(found, expected), `it has ${found} bytes there, ${expected} were written`)
  }

  #corrupt(key: string, offset: number, problem: string): Error {
    return objectsErrors.corrupt({ key, where: this.where, offset, problem })
  }
}

function isMissing(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as { name?: string; $metadata?: { httpStatusCode?: number } }
  return name === 'NotFound' || name === 'NoSuchKey' || ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket')
}

function isTaken(error: unknown): boolean {
  return (error as { $metadata?: { httpStatusCode?: number } })?.$metadata?.httpStatusCode === 412
}
