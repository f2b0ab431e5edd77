/**
 * The entries of one leaf of the ordered index, outside it: what a checkpoint takes out leaf by leaf, and brings back. How the
 * leaf was laid out is not part of it; it is laid out anew.
 */

/** Words of an entry: high and low half of the head, then the location. */
export const leafEntryWords = 4
/** No leaf has more. */
export const leafEntriesMax = 1024

export class LeafCopy {
  /** Slots that the leaf had, so that the new one has as much room. */
  slots = 0
  /** What all its keys begin with; heads are what follows. */
  prefix: Uint8Array = new Uint8Array(0)
  count = 0
  readonly words: Uint32Array = new Uint32Array(leafEntriesMax * leafEntryWords)

  add(high: number, low: number, segment: number, offset8: number): void {
    const at = this.count++ * leafEntryWords
    this.words[at] = high
    this.words[at + 1] = low
    this.words[at + 2] = segment
    this.words[at + 3] = offset8
  }
}
