/**
 * The door to chance: numbers that nobody can foresee, for ids, seeds of checksums and random picks. What must be
 * repeatable draws from a `Random` of @orbitkv/base instead, and tests hand one in.
 */

/** Draws a whole number in [0, 2^32). */
export type RandomUint32 = () => number

const drawnAtOnce = 64
const drawn = new Uint32Array(drawnAtOnce)
let left = 0

export const realRandomUint32: RandomUint32 = () => {
  if (left === 0) {
    crypto.getRandomValues(drawn)
    left = drawnAtOnce
  }
  left--
  return drawn[left] as number
}
