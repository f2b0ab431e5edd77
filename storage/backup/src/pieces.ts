/** Which pieces cover a file, and what of it none covers yet. */

import { type BackedFile, fileId, type Piece } from './manifest.ts'

export class PieceIndex {
  readonly #byFile = new Map<string, Piece[]>()

  constructor(pieces: Iterable<Piece> = []) {
    for (const piece of pieces) {
      const id = fileId(piece)
      const known = this.#byFile.get(id)
      if (known === undefined) this.#byFile.set(id, [piece])
      else known.push(piece)
    }
  }

  /**
   * Pieces that follow one another from the start of a file, and up to where they go. Of a sorted file only all of it counts:
   * such a file is written once, and another length is another file.
   */
  cover(file: BackedFile): { readonly pieces: readonly Piece[]; readonly end: number } {
    const known = (this.#byFile.get(fileId(file)) ?? []).toSorted((one, other) => one.from - other.from)
    const pieces: Piece[] = []
    let end = 0
    for (let next = 0; end < file.bytes; ) {
      // Of those that go on from here the one that reaches furthest; the others are never needed again.
      let best: Piece | undefined
      for (; next < known.length && (known[next] as Piece).from <= end; next++) {
        const piece = known[next] as Piece
        const fits = file.kind === 'log' || piece.to <= file.bytes
        if (fits && piece.to > (best?.to ?? end)) best = piece
      }
      if (best === undefined) break
      pieces.push(best)
      end = best.to
    }
    if (file.kind === 'sorted' && end !== file.bytes) return { pieces: [], end: 0 }
    return { pieces, end }
  }
}
