/**
 * The keys that stand between the children of the yardstick's branches. A branch holds their ids.
 */

/** Stands before the first child of a branch; never compared. */
export const noKey: Uint8Array = new Uint8Array(0)

export class Separators {
  readonly #keys: Uint8Array[] = []
  #bytes = 0

  /** Bytes of the keys kept. */
  get bytes(): number {
    return this.#bytes
  }

  get(id: number): Uint8Array {
    return this.#keys[id] as Uint8Array
  }

  keep(key: Uint8Array): number {
    const id = this.#keys.length
    this.#keys[id] = key
    this.#bytes += key.length
    return id
  }
}
