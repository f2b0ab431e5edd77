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
import type { SliceOwner, SliceSource } from './protocol/output.ts'
import { Slices } from './protocol/output.ts'

export interface GateClient extends SliceOwner {
  /** Sends `chunk.bytes[start, end)` and releases the chunk when it is out. */
  deliver(chunk: SliceSource, start: number, end: number): void
  /** The replies will not come: close. */
  fail(error: Error): void
}

/** What a turn was, for who measures it. */
export interface TurnFacts {
  /** As the clock's `monotonic` said when it began. */
  readonly startedMs: number
  /** Commands that write: those that it stands for. */
  readonly writes: number
}

interface Turn<Client extends GateClient> {
  slices: Slices<Client>
  readonly facts: TurnFacts | undefined
  /** When it began, in milliseconds since 1970. */
  readonly atMs: number
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
  /** Called when the replies of a turn go out that has facts. */
  onReleased: (facts: TurnFacts) => void = () => {}

  constructor(owner: Owner, onFailure: (error: Error) => void) {
    this.#owner = owner
    this.#onFailure = onFailure
  }

  get turnsWaiting(): number {
    return this.#waiting.length
  }

  /** When the oldest turn began whose replies wait, in milliseconds since 1970; undefined where none does. */
  get oldestMs(): number | undefined {
    return this.#waiting[0]?.atMs
  }

  /** Ends a turn; returns the collection for the next, and whether the replies had to wait. */
  endTurn(slices: Slices<Client>, atMs = 0, facts?: TurnFacts): Slices<Client> {
    if (this.#waiting.length === 0 && this.#owner.settled) {
      deliverAll(slices)
      if (facts !== undefined) this.onReleased(facts)
      return slices
    }
    const turn: Turn<Client> = { slices, facts, atMs, isSettled: false, error: undefined }
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
      const { slices, facts, error } = this.#waiting.shift() as Turn<Client>
      if (error !== undefined) this.#failAll(slices, error)
      else {
        deliverAll(slices)
        if (facts !== undefined) this.onReleased(facts)
      }
      if (this.#spares.length < sparesMax) this.#spares.push(slices)
    }
    this.#isReleasing = false
  }

  #failAll(slices: Slices<Client>, error: Error): void {
    this.#onFailure(error)
    for (let i = 0; i < slices.count; i++) {
      const client = slices.owners[i] as Client
      client.outputBytes -= (slices.ends[i] as number) - (slices.starts[i] as number)
      ;(slices.chunks[i] as SliceSource).release()
      client.fail(error)
    }
    slices.count = 0
  }
}

function deliverAll<Client extends GateClient>(slices: Slices<Client>): void {
  const { owners, chunks, starts, ends, count } = slices
  for (let i = 0; i < count; i++) {
    ;(owners[i] as Client).deliver(chunks[i] as SliceSource, starts[i] as number, ends[i] as number)
  }
  slices.count = 0
}
