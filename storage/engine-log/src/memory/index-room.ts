/**
 * How much room the indexes have, and how much more keys may take: what the limit on index memory goes by (index-cap.ts).
 */

import { KiB } from '@orbitkv/base'
import { entryBytesMax } from '../ordered/learned-pool.ts'
import type { PointIndex } from '../point/point-index.ts'
import type { VersionIndex } from '../versions/version-index.ts'

/** Of a keyspace with its first key, about. */
const newKeyspaceBytes = 32 * KiB

export class IndexRoom {
  readonly #index: VersionIndex
  readonly #point: PointIndex

  constructor({ index, point }: { readonly index: VersionIndex; readonly point: PointIndex }) {
    this.#index = index
    this.#point = point
  }

  get bytes(): number {
    return this.#index.bytes
  }

  /** Of `bytes`, those of keys of a keyspace that are gone, which new ones of it take first; of any keyspace, the most. */
  reusableBytes(keyspace?: number): number {
    if (keyspace !== undefined) return this.#index.existing(keyspace)?.index.reusableBytes ?? 0
    let bytes = 0
    for (const { index } of this.#index.spaces()) bytes = Math.max(bytes, index.reusableBytes)
    return bytes
  }

  /** The most bytes that so many more keys can take, those of the steps in which tables grow included. */
  growthBytesMax(keys: number): number {
    let stepBytes = newKeyspaceBytes
    let touched = 1
    for (const { index } of this.#index.spaces()) {
      stepBytes = Math.max(stepBytes, index.stepBytesMax(keys))
      touched++
    }
    return this.#point.growthBytesMax(keys) + keys * entryBytesMax + Math.min(keys, touched) * stepBytes
  }

  /** Whether there is an entry for a key: of a put, or of a delete that old states do not see yet. */
  holds(keyspace: number, key: Uint8Array, start: number, end: number): boolean {
    return this.#point.find(keyspace, key, start, end)
  }
}
