/** When to look at which lease: a binary heap, the earliest first. A lease has one entry, which may be earlier than it need be. */

export interface Wake {
  readonly id: number
  readonly atMs: number
}

export class Wakes {
  readonly #heap: Wake[] = []

  get first(): Wake | undefined {
    return this.#heap[0]
  }

  push(wake: Wake): void {
    const heap = this.#heap
    let place = heap.length
    heap.push(wake)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (wake.atMs >= (heap[parent] as Wake).atMs) break
      heap[place] = heap[parent] as Wake
      place = parent
    }
    heap[place] = wake
  }

  /** Takes the first out. */
  shift(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as Wake).atMs < (heap[child] as Wake).atMs) child++
      if ((heap[child] as Wake).atMs >= last.atMs) break
      heap[place] = heap[child] as Wake
      place = child
    }
    heap[place] = last
  }
}
