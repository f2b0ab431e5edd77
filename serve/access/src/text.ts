/**
 * Names, patterns and passwords as text in which each character stands for one byte, so that none is lost or changed,
 * whatever the bytes mean. Fronts hand them in this way and get them back so.
 */

/** What may stand between two words, and ends a text in C. Other bytes belong to a word: those above 127 are parts of letters. */
export const blanks = /[\t\n\v\f\r \0]/

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
