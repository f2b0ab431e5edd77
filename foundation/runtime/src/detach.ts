/** Ends a buffer: for mappings that are memory of JavaScript's own (the plain JavaScript and the simulated disk). */

/** Moves the memory into a buffer that nobody keeps: `buffer` and every view of it have length 0 afterwards. */
export function detach(buffer: ArrayBuffer): void {
  structuredClone(buffer, { transfer: [buffer] })
}
