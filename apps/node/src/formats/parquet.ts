/**
 * Entries as a Parquet file, through hyparquet-writer: the columns `key` and `value` as bytes, `revision` and
 * `expires_at` where there is one.
 *
 * Bounded: one row group of at most `groupRowsMax` rows and about `groupBytesMax` is held and encoded at a time. A file is
 * readable only once `finish` has written its end.
 */

import { MiB } from '@orbitkv/base'
import type { SchemaElement } from 'hyparquet-writer'
import { loadPeer } from '../peers.ts'
import type { Entry } from './mapping.ts'

export const groupRowsMax = 100_000
export const groupBytesMax = 16 * MiB

const schema: SchemaElement[] = [
  { name: 'entries', num_children: 4 },
  { name: 'key', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED' },
  { name: 'value', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED' },
  { name: 'revision', type: 'INT64', repetition_type: 'OPTIONAL' },
  { name: 'expires_at', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'OPTIONAL' },
]

export class ParquetEncoder {
  readonly #bytes: { index: number; getBytes(): Uint8Array }
  readonly #writer: { write(group: object): unknown; finish(): unknown }
  readonly #write: (bytes: Uint8Array) => Promise<void>
  #rows: Entry[] = []
  #rowsBytes = 0

  private constructor(
    bytes: { index: number; getBytes(): Uint8Array },
    writer: { write(group: object): unknown; finish(): unknown },
    write: (bytes: Uint8Array) => Promise<void>,
  ) {
    this.#bytes = bytes
    this.#writer = writer
    this.#write = write
  }

  /** Errors: `cli.peer_missing`, and those of `write`. */
  static async open(write: (bytes: Uint8Array) => Promise<void>, createdBy: string): Promise<ParquetEncoder> {
    const { ByteWriter, ParquetWriter } = await loadPeer(
      'hyparquet-writer',
      'writing Parquet',
      () => import('hyparquet-writer'),
    )
    const bytes = new ByteWriter()
    return new ParquetEncoder(bytes, new ParquetWriter({ writer: bytes, schema, createdBy }), write)
  }

  async add(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      this.#rows.push(entry)
      this.#rowsBytes += entry.key.length + entry.value.length
      if (this.#rows.length >= groupRowsMax || this.#rowsBytes >= groupBytesMax) await this.#endGroup()
    }
  }

  async finish(): Promise<void> {
    await this.#endGroup()
    this.#writer.finish()
    await this.#flush()
  }

  async #endGroup(): Promise<void> {
    const rows = this.#rows
    if (rows.length === 0) return
    this.#rows = []
    this.#rowsBytes = 0
    // Keys are unique and values mostly: to look for repetitions costs time and gains nothing. No offset index: it would
    // be kept for every page until the end.
    const plain = { encoding: 'PLAIN', offsetIndex: false }
    this.#writer.write({
      rowGroupSize: rows.length,
      columnData: [
        { name: 'key', data: rows.map(({ key }) => key), ...plain },
        { name: 'value', data: rows.map(({ value }) => value), ...plain },
        {
          name: 'revision',
          data: rows.map(({ revision }) => (revision === undefined ? null : BigInt(revision))),
          ...plain,
        },
        {
          name: 'expires_at',
          data: rows.map(({ expiresAt }) => (expiresAt === 0 ? null : new Date(expiresAt))),
          ...plain,
        },
      ],
    })
    await this.#flush()
  }

  async #flush(): Promise<void> {
    const block = this.#bytes.getBytes()
    await this.#write(block)
    this.#bytes.index = 0
  }
}
