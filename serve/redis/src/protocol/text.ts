/** Bytes as text of which every character is one byte: for looking bytes up in a Map, and for digits. */

export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
