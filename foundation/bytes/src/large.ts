/**
 * Memory for large, long-lived buffers that are read at random: on huge pages where the system gives them, since such
 * reads otherwise miss the table of pages as often as the cache, and from one NUMA node where that is asked for. Without the
 * addon it is ordinary memory.
 *
 * Where memory comes from is a matter of the process, so there is one placement for all stores in it: that of the one opened last.
 */

import { MiB } from '@orbitkv/base'
import { native } from '@orbitkv/native'

/** Smaller than this is not worth a huge page of 2 MiB. */
const hugeBytesMin = 4 * MiB

export interface Placement {
  readonly hugePages: boolean
  /** Undefined: wherever the system takes it from. */
  readonly numaNode: number | undefined
}

let placement: Placement = { hugePages: true, numaNode: undefined }
/** What the system said when it was last asked; undefined before. */
let tookHugePages: boolean | undefined
let tookNode: boolean | undefined

/** From here on; what was made before stays where it is. */
export function placeLargeBuffers(wanted: Placement): void {
  placement = wanted
  tookNode = undefined
}

/** A zeroed buffer; its pages are taken as they are touched. */
export function largeBuffer(bytes: number): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes)
  if (native === undefined || bytes < hugeBytesMin) return buffer
  if (placement.hugePages) tookHugePages = native.advise(buffer, 0, bytes, 'huge-pages')
  if (placement.numaNode !== undefined) tookNode = native.preferNode(buffer, placement.numaNode)
  return buffer
}

/** How the last large buffer was placed: whether the system took each wish; undefined where it was not asked. */
export function largeBufferPlacement(): {
  readonly hugePages: boolean | undefined
  readonly node: boolean | undefined
  /** Without the addon nothing is asked for. */
  readonly isPossible: boolean
} {
  return {
    hugePages: placement.hugePages ? tookHugePages : undefined,
    node: tookNode,
    isPossible: native !== undefined,
  }
}
