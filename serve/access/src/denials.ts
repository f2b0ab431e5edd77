/** The newest denials, for who looks after the server: what was tried, by whom, how often. Holds no password. */

export type DenialReason = 'auth' | 'command' | 'key' | 'channel'
/** Where the command came from. */
export type DenialContext = 'toplevel' | 'multi' | 'lua'

export interface DenialEntry {
  readonly id: number
  readonly reason: DenialReason
  readonly context: DenialContext
  /** The command, key or channel. */
  readonly object: string
  readonly user: string
  client: string
  count: number
  readonly createdMs: number
  updatedMs: number
}

/** Denials of one kind within this time are one entry with a count. */
const sameWithinMs = 60_000

export class DenialLog {
  entriesMax: number
  readonly #newestFirst: DenialEntry[] = []
  #nextId = 0

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax
  }

  add(denial: Pick<DenialEntry, 'reason' | 'context' | 'object' | 'user' | 'client'>, nowMs: number): void {
    const place = this.#newestFirst.findIndex(
      (entry) => isSame(entry, denial) && nowMs - entry.createdMs <= sameWithinMs,
    )
    const known = place < 0 ? undefined : this.#newestFirst.splice(place, 1)[0]
    if (known === undefined) {
      this.#newestFirst.unshift({ ...denial, id: this.#nextId++, count: 1, createdMs: nowMs, updatedMs: nowMs })
    } else {
      known.count++
      known.client = denial.client
      known.updatedMs = nowMs
      this.#newestFirst.unshift(known)
    }
    this.#newestFirst.length = Math.min(this.#newestFirst.length, this.entriesMax)
  }

  entries(count: number): readonly DenialEntry[] {
    return this.#newestFirst.slice(0, count)
  }

  clear(): void {
    this.#newestFirst.length = 0
  }
}

function isSame(entry: DenialEntry, other: Pick<DenialEntry, 'reason' | 'context' | 'object' | 'user'>): boolean {
  return (
    entry.reason === other.reason &&
    entry.context === other.context &&
    entry.object === other.object &&
    entry.user === other.user
  )
}
