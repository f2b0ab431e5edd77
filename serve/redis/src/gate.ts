/**
 * The gate: no reply goes out before what it tells is durable at the store's level.
 *
 * Commands read the latest state, published or not, so that they need not wait for one another; in exchange every
 * reply, of reads too, waits until all that was appended up to the end of its turn is published. A turn is one turn of
 * the event loop: all commands that arrived together run, then the store is asked once.
 *
 * What must hold: turns are released in their order, so the replies of a connection never overtake one another. If the
 * store fails, no reply of the turns that waited goes out; their connections are closed. An error reply would be
 * wrong: clients take one for "it did not happen", while the bytes may well be on the disk. A closed connection says
 * what is true: that the outcome is not known.
 */

import type { Owner } from '@orbitkv/store'
import type { Chunk, SliceOwner } from './protocol/output.ts'
import { Slices } from './protocol/output.ts'

export interface GateClient extends SliceOwner {
  /** Sends `chunk.bytes[start, end)` and releases the chunk when it is out. */
  deliver(chunk: Chunk, start: number, end: number): void
  /** The replies will not come: close. */
  fail(error: Error): void
}

interface Turn<Client extends GateClient> {
  slices: Slices<Client>
  isSettled: boolean
  error: Error | undefined
}

/** Collections that are kept for later turns. */
const sparesMax = 64

export class Gate<Client extends GateClient> {
  readonly #owner: Owner
  readonly #onFailure: (error: Error) => void
  /** Oldest first. Each holds at least one reply, so their number is bounded by what connections may have waiting. */
  readonly #waiting: Turn<Client>[] = []
  readonly #spares: Slices<Client>[] = []
  #isReleasing = false

  constructor(owner: Owner, onFailure: (error: Error) => void) {
    this.#owner = owner
    this.#onFailure = onFailure
  }

  get turnsWaiting(): number {
    return this.#waiting.length
  }

  /** Ends a turn; returns the collection for the next, and whether the replies had to wait. */
  endTurn(slices: Slices<Client>): Slices<Client> {
    if (this.#waiting.length === 0 && this.#owner.settled) {
      deliverAll(slices)
      return slices
    }
    const turn: Turn<Client> = { slices, isSettled: false, error: undefined }
    this.#waiting.push(turn)
    this.#settle(turn)
    return this.#spares.pop() ?? new Slices()
  }

  #settle(turn: Turn<Client>): void {
    const done = (error?: Error): void => {
      turn.isSettled = true
      turn.error = error
      this.#release()
    }
    try {
      this.#owner.settle(done)
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #release(): void {
    // A delivery may let the store settle more; the outer loop sees to it.
    if (this.#isReleasing) return
    this.#isReleasing = true
    while (this.#waiting[0]?.isSettled) {
      const { slices, error } = this.#waiting.shift() as Turn<Client>
      if (error === undefined) deliverAll(slices)
      else this.#failAll(slices, error)
      if (this.#spares.length < sparesMax) this.#spares.push(slices)
    }
    this.#isReleasing = false
  }

  #failAll(slices: Slices<Client>, error: Error): void {
    this.#onFailure(error)
    for (let i = 0; i < slices.count; i++) {
      const client = slices.owners[i] as Client
      client.outputBytes -= (slices.ends[i] as number) - (slices.starts[i] as number)
      ;(slices.chunks[i] as Chunk).release()
      client.fail(error)
    }
    slices.count = 0
  }
}

function deliverAll<Client extends GateClient>(slices: Slices<Client>): void {
  const { owners, chunks, starts, ends, count } = slices
  for (let i = 0; i < count; i++) {
    ;(owners[i] as Client).deliver(chunks[i] as Chunk, starts[i] as number, ends[i] as number)
  }
  slices.count = 0
}
