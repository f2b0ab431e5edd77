/** A plain JavaScript Map: the floor under every figure, and no peer. It keeps nothing, orders nothing, and shares its values. */

import type { Workload } from '../data/workload.ts'
import { type Contestant, ends } from './contestant.ts'

export class MapContestant implements Contestant {
  readonly settings = 'keys as one-byte strings, values as they are; no order, no disk: a floor, not a peer'
  readonly #workload: Workload
  readonly #map = new Map<string, Buffer>()

  constructor(workload: Workload) {
    this.#workload = workload
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {
    this.#map.clear()
  }

  insert(from: number, to: number, version: number): void {
    const { inserted } = this.#workload
    for (let place = from; place < to; place++) {
      this.#map.set(inserted.fill(place).toString('latin1'), this.#workload.value(place, version))
    }
  }

  count(): number {
    return this.#map.size
  }

  get(key: Buffer): number {
    return ends(Uint8Array.prototype.slice.call(this.#map.get(key.toString('latin1'))))
  }

  view(key: Buffer): number {
    return ends(this.#map.get(key.toString('latin1')))
  }

  getText(key: string): number {
    return ends(this.#map.get(key))
  }

  put(key: Buffer, value: Buffer): void {
    this.#map.set(key.toString('latin1'), value)
  }
}
