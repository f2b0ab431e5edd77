/** The entries of a folder of another store, for an import: what our store would not take becomes a fault with its key. */

import type { Entry } from '../formats/mapping.ts'
import type { FolderSource, SourceEntry } from './folder-source.ts'
import type { Progressed, Records } from './import.ts'
import { entryProblem } from './limits.ts'

/** A record that cannot be taken over, told by its key. */
export interface KeyFault {
  readonly problem: string
  readonly key: Uint8Array
}

export interface FolderPlace extends Progressed {
  /** The key of the last record; undefined before the first. */
  readonly lastKey: Uint8Array | undefined
  /** How much of the source's total lies behind it, about. */
  readonly done: number
}

export class FolderRecords implements Records<FolderPlace, KeyFault> {
  readonly #source: FolderSource
  readonly #pages: AsyncIterator<readonly SourceEntry[]>
  readonly #valueBytesMax: number | undefined
  #page: readonly SourceEntry[] = []
  #next = 0
  #place: FolderPlace

  constructor(source: FolderSource, valueBytesMax: number | undefined, from: FolderPlace) {
    this.#source = source
    this.#pages = source.pages(from.lastKey)[Symbol.asyncIterator]()
    this.#valueBytesMax = valueBytesMax
    this.#place = from
  }

  get place(): FolderPlace {
    return this.#place
  }

  next(): { readonly entry: Entry } | KeyFault | undefined {
    const found = this.#page[this.#next]
    if (found === undefined) return undefined
    const { key, value } = found
    this.#next++
    this.#place = { ...this.#place, records: this.#place.records + 1, lastKey: key }
    const problem = found.problem ?? entryProblem(found, this.#valueBytesMax)
    return problem === undefined ? { entry: { key, value, expiresAt: 0 } } : { problem, key }
  }

  async more(): Promise<boolean> {
    const { records, lastKey } = this.#place
    if (lastKey !== undefined) this.#place = { ...this.#place, done: await this.#source.donePast(lastKey, records) }
    const { done, value } = await this.#pages.next()
    if (done === true) return false
    this.#page = value
    this.#next = 0
    return true
  }

  async close(): Promise<void> {
    await this.#pages.return?.()
  }
}
