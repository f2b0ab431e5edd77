/**
 * A place of backups: an object store, and the key where they are encrypted. Reads and writes manifests and pieces; what
 * is taken into which backup is decided elsewhere.
 */

import { hasCode } from '@orbitkv/base'
import { crc32c, decodeText, encodeText } from '@orbitkv/bytes'
import type { ObjectStore } from '@orbitkv/objects'
import type { Clock, RandomUint32 } from '@orbitkv/runtime'
import { Cipher, isEncrypted } from './cipher.ts'
import { backupErrors } from './errors.ts'
import {
  formatVersion,
  type Manifest,
  manifestKey,
  manifestPrefix,
  type Piece,
  pieceKey,
  problemOf,
  storeKey,
} from './manifest.ts'

/** Manifests read at once. */
const readsAtOnce = 8

export interface VaultOptions {
  readonly objects: ObjectStore
  readonly clock: Clock
  readonly randomUint32: RandomUint32
  /** 32 bytes; absent: nothing is encrypted. */
  readonly key?: Uint8Array
}

export class Vault {
  readonly objects: ObjectStore
  readonly #clock: Clock
  readonly #cipher: Cipher | undefined

  constructor({ objects, clock, randomUint32, key }: VaultOptions) {
    this.objects = objects
    this.#clock = clock
    this.#cipher = key === undefined ? undefined : new Cipher(key, randomUint32)
  }

  get where(): string {
    return this.objects.where
  }

  /** Ids of the stores that have backups here. */
  async stores(): Promise<string[]> {
    const prefix = storeKey('')
    const ids: string[] = []
    for await (const key of this.objects.list(prefix)) ids.push(key.slice(prefix.length))
    return ids
  }

  /** Names of the manifests of a store, in their order. */
  async manifestKeys(storeId: string): Promise<string[]> {
    const keys: string[] = []
    for await (const key of this.objects.list(manifestPrefix(storeId))) keys.push(key)
    return keys.sort()
  }

  async manifests(storeId: string): Promise<Manifest[]> {
    const keys = await this.manifestKeys(storeId)
    const found: Manifest[] = []
    for (let at = 0; at < keys.length; at += readsAtOnce) {
      found.push(...(await Promise.all(keys.slice(at, at + readsAtOnce).map((key) => this.readManifest(key)))))
    }
    return found
  }

  async readManifest(key: string): Promise<Manifest> {
    const text = decodeText(await this.#open(key, await this.objects.get(key)))
    let manifest: Manifest
    try {
      manifest = JSON.parse(text) as Manifest
    } catch (error) {
      throw backupErrors.damaged({ object: key, where: this.where, problem: 'it is no JSON' }, error)
    }
    if (manifest?.format > formatVersion) {
      throw backupErrors.newer_format({ object: key, where: this.where, found: manifest.format, known: formatVersion })
    }
    const problem = problemOf(manifest, key)
    if (problem !== undefined) throw backupErrors.damaged({ object: key, where: this.where, problem })
    return manifest
  }

  /** With it the backup is there. Throws `backup.conflict` where another one has its number. */
  async writeManifest(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    const { storeId, sequence } = manifest
    const until = signal === undefined ? {} : { signal }
    const key = manifestKey(storeId, sequence)
    // Before the first manifest: whoever finds that must find the store.
    if (sequence === 1) await this.objects.put(storeKey(storeId), encodeText(`${storeId}\n`), until)
    try {
      const body = await this.#seal(key, encodeText(`${JSON.stringify(manifest)}\n`))
      await this.objects.put(key, body, { ifAbsent: true, ...until })
    } catch (error) {
      if (hasCode(error, 'objects.exists')) throw backupErrors.conflict({ where: this.where, sequence }, error)
      throw error
    }
  }

  pieceKey(storeId: string, piece: Piece): string {
    return pieceKey(storeId, piece, this.#cipher?.keyId)
  }

  async writePiece(storeId: string, piece: Piece, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const key = this.pieceKey(storeId, piece)
    await this.objects.put(key, await this.#seal(key, bytes), signal === undefined ? {} : { signal })
  }

  /** The bytes of a piece, as they were in the file. Throws `backup.damaged` and what the object store throws. */
  async readPiece(storeId: string, piece: Piece, signal?: AbortSignal): Promise<Uint8Array> {
    const key = this.pieceKey(storeId, piece)
    const bytes = await this.#open(key, await this.objects.get(key, signal === undefined ? {} : { signal }))
    const expected = piece.to - piece.from
    if (bytes.length !== expected) {
      const problem = `it has ${bytes.length} bytes, not ${expected}`
      throw backupErrors.damaged({ object: key, where: this.where, problem })
    }
    if (crc32c(0, bytes, 0, bytes.length) !== piece.crc32c) {
      throw backupErrors.damaged({ object: key, where: this.where, problem: 'it is not what was copied' })
    }
    return bytes
  }

  async #seal(key: string, bytes: Uint8Array): Promise<Uint8Array> {
    return this.#cipher === undefined ? bytes : this.#cipher.encrypt(key, bytes, this.#clock)
  }

  async #open(key: string, stored: Uint8Array): Promise<Uint8Array> {
    const encrypted = isEncrypted(stored)
    if (this.#cipher === undefined) {
      if (encrypted) throw backupErrors.needs_key({ object: key, where: this.where })
      return stored
    }
    // Not taken as it is: somebody may have put it there who has no key.
    if (!encrypted) throw backupErrors.not_encrypted({ object: key, where: this.where })
    return this.#cipher.decrypt(key, this.where, stored, this.#clock)
  }
}
