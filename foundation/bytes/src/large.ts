/**
 * Memory for large, long-lived buffers that are read at random: on huge pages where the system gives them, since such
 * reads otherwise miss the table of pages as often as the cache. Without the addon it is ordinary memory.
 */

import { MiB } from '@orbitkv/base'
import { native } from '@orbitkv/native'

/** Smaller than this is not worth a huge page of 2 MiB. */
const hugeBytesMin = 4 * MiB

/** A zeroed buffer; its pages are taken as they are touched. */
export function largeBuffer(bytes: number): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes)
  if (native !== undefined && bytes >= hugeBytesMin) native.advise(buffer, 0, bytes, 'huge-pages')
  return buffer
}
