/** Lists of keys for the ordered bench: made one after the other, or chosen from another list. */

import { MiB } from '@orbitkv/base'
import type { KeyList } from './loops.ts'

export class Probes implements KeyList {
  bytes = new Uint8Array(MiB)
  readonly ends: Uint32Array
  count = 0

  constructor(most: number) {
    this.ends = new Uint32Array(most + 1)
  }

  static made(count: number, make: (i: number) => Uint8Array): Probes {
    const probes = new Probes(count)
    for (let i = 0; i < count; i++) {
      const key = make(i)
      probes.add(key, 0, key.length)
    }
    return probes
  }

  static of({ bytes, ends }: Probes, count: number, choose: (i: number) => number): Probes {
    const probes = new Probes(count)
    for (let i = 0; i < count; i++) {
      const chosen = choose(i)
      probes.add(bytes, ends[chosen] as number, ends[chosen + 1] as number)
    }
    return probes
  }

  add(source: Uint8Array, start: number, end: number): void {
    const at = this.ends[this.count] as number
    if (at + end - start > this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length)
      larger.set(this.bytes)
      this.bytes = larger
    }
    for (let i = start; i < end; i++) this.bytes[at + i - start] = source[i] as number
    this.ends[++this.count] = at + end - start
  }
}
