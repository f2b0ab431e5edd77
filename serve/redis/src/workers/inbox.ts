/**
 * Gathers what other workers reply, and what waited behind it, so that a client gets it in one write.
 *
 * What must hold: `flush` is called before whoever brought replies returns to the event loop, and before anything else is
 * sent to a client; so nothing overtakes what lies here.
 */

import type { BufferPool } from '../protocol/buffers.ts'
import type { SliceSource } from '../protocol/output.ts'
import { type OutputLimits, ReplyWriter } from '../protocol/reply.ts'
import type { HoleClient } from './hole.ts'

export class Inbox {
  readonly #writer: ReplyWriter<HoleClient>
  readonly #woken = new Set<HoleClient>()
  readonly #onFailure: (client: HoleClient, error: unknown) => void
  #isFlushing = false

  constructor(
    pool: BufferPool,
    limits: OutputLimits,
    stats: { errorReplies: number },
    onFailure: (client: HoleClient, error: unknown) => void,
  ) {
    this.#writer = new ReplyWriter(pool, limits, stats)
    this.#onFailure = onFailure
  }

  add(client: HoleClient, bytes: Uint8Array, start: number, end: number): void {
    this.#writer.begin(client)
    try {
      this.#writer.copy(bytes, start, end)
      this.#writer.end()
    } catch (error) {
      this.#writer.end()
      this.#onFailure(client, error)
    }
  }

  /** The client may have waited for this. */
  wake(client: HoleClient): void {
    this.#woken.add(client)
  }

  giveUp(client: HoleClient, error: Error): void {
    this.#onFailure(client, error)
  }

  flush(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    const { slices } = this.#writer
    // What is sent may close a client, and that may bring nothing more here: the count stands.
    for (let i = 0; i < slices.count; i++) {
      const owner = slices.owners[i] as HoleClient
      owner.emit(slices.chunks[i] as SliceSource, slices.starts[i] as number, slices.ends[i] as number)
      this.#woken.add(owner)
    }
    slices.count = 0
    this.#isFlushing = false
    for (const client of this.#woken) client.goOn()
    this.#woken.clear()
  }
}
