/**
 * Fixed layouts, declared once: which field stands at which byte. A layout is checked when its module loads (no gap, no
 * overlap, the stated size), so that a format page and the code cannot drift silently.
 *
 * Fields are little-endian and aligned to their size up to 8 bytes. Hot code reads them by `offset` through typed arrays.
 */

import { assert } from '@orbitkv/base'

export interface Field {
  readonly offset: number
  readonly bytes: number
}

const field =
  (bytes: number) =>
  (offset: number): Field => ({ offset, bytes })

export const u8 = field(1)
export const u16 = field(2)
export const u32 = field(4)
/** A whole number below 2^53 in eight bytes. */
export const u64 = field(8)
/** Bytes that carry no number: a magic, an id, or zeros. */
export const raw = (offset: number, bytes: number): Field => ({ offset, bytes })

/** Declares a layout and returns the offset of each field. Throws on a gap, an overlap or a wrong total. */
export function layout<Names extends string>(
  name: string,
  bytes: number,
  fields: Record<Names, Field>,
): Readonly<Record<Names, number>> {
  const ordered = Object.entries<Field>(fields).sort(([, a], [, b]) => a.offset - b.offset)
  let end = 0
  for (const [fieldName, { offset, bytes: fieldBytes }] of ordered) {
    assert(offset === end, `${name}.${fieldName} stands at ${offset}, the field before it ends at ${end}`)
    const alignment = fieldBytes === 2 || fieldBytes === 4 || fieldBytes === 8 ? fieldBytes : 1
    assert(offset % alignment === 0, `${name}.${fieldName} is not aligned to ${alignment}`)
    end = offset + fieldBytes
  }
  assert(end === bytes, `${name} has ${end} bytes of fields, not ${bytes}`)
  return Object.fromEntries(ordered.map(([fieldName, { offset }]) => [fieldName, offset])) as Record<Names, number>
}
