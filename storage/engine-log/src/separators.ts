/**
 * The keys that stand between the children of branches: copies, so that a record may move or go. A branch holds their ids.
 */

/** Stands before the first child of a branch; never compared. */
export const noKey: Uint8Array = new Uint8Array(0)

export class Separators {
  readonly #keys: Uint8Array[] = []
  readonly #free: number[] = []
  #bytes = 0

  /** Bytes of the keys kept. */
  get bytes(): number {
    return this.#bytes
  }

  get(id: number): Uint8Array {
    return this.#keys[id] as Uint8Array
  }

  keep(key: Uint8Array): number {
    const id = this.#free.pop() ?? this.#keys.length
    this.#keys[id] = key
    this.#bytes += key.length
    return id
  }

  drop(id: number): void {
    this.#bytes -= this.get(id).length
    this.#keys[id] = noKey
    this.#free.push(id)
  }
}
