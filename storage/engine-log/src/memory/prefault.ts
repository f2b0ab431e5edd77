/**
 * Reads sealed segments into memory when a store is opened (`prefault`), so that no first read waits for the disk: the newest
 * first, since they are read most, and as far as `residentBytesMax` allows. Off the event loop; a read error fails the opening by name.
 */

import { MiB } from '@orbitkv/base'
import type { LogConfig } from '../config.ts'
import type { Log } from '../log/log.ts'

const stepBytes = 1 * MiB

export async function prefaultSegments(
  log: Pick<Log, 'inOrder'>,
  { residentBytesMax }: Pick<LogConfig, 'residentBytesMax'>,
): Promise<void> {
  let left = residentBytesMax === 0 ? Number.POSITIVE_INFINITY : residentBytesMax
  const buffer = new Uint8Array(stepBytes)
  for (const { mapping, file } of [...log.inOrder()].reverse()) {
    if (mapping === undefined) continue
    const bytes = mapping.bytes.length
    if (bytes > left) return
    left -= bytes
    for (let at = 0; at < bytes; at += stepBytes) await file.readAsync(buffer, 0, Math.min(stepBytes, bytes - at), at)
  }
}
