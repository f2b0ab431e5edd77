/** Limits as Redis writes them in CONFIG: amounts of memory, and the limits of output buffers. */

import { GiB, KiB, MiB } from '@orbitkv/base'

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: KiB,
  m: 1_000_000,
  mb: MiB,
  g: 1_000_000_000,
  gb: GiB,
}

/** Bytes; NaN for what is no amount of memory. */
export function readMemory(text: string): number {
  const parts = /^(\d{1,15})([a-z]*)$/i.exec(text)
  return Number(parts?.[1] ?? Number.NaN) * (units[parts?.[2]?.toLowerCase() ?? ''] ?? Number.NaN)
}

/** What `client-output-buffer-limit` is about. */
export interface BufferLimits {
  outputPauseBytes: number
  outputBytesMax: number
  outputSoftBytes: number
  outputSoftMs: number
  messageBytesMax: number
  messageSoftBytes: number
  messageSoftMs: number
}

/** There are no replicas: theirs are told as they are set in Redis at first. */
const replicas = 'slave 268435456 67108864 60'

export function bufferLimitText(limits: BufferLimits): string {
  const normal = [limits.outputBytesMax, limits.outputSoftBytes, limits.outputSoftMs / 1000]
  const pubsub = [limits.messageBytesMax, limits.messageSoftBytes, limits.messageSoftMs / 1000]
  return `normal ${normal.join(' ')} ${replicas} pubsub ${pubsub.join(' ')}`
}

/** No limit, in the words of Redis, is the largest here. */
const bufferBytesMax = 1 * GiB

/** Groups of four words: class, hard limit, soft limit, seconds. Text for what is wrong with them. */
export function readBufferLimits(text: string, limits: BufferLimits): Partial<BufferLimits> | string {
  const words = text.trim().split(/\s+/)
  if (words.length % 4 !== 0) return 'Wrong number of arguments in buffer limit configuration.'
  const read: Partial<BufferLimits> = {}
  for (let place = 0; place < words.length; place += 4) {
    const [kind = '', hardText = '', softText = '', secondsText = ''] = words.slice(place, place + 4)
    if (!/^(normal|slave|replica|pubsub)$/i.test(kind)) {
      return 'Invalid client class specified in buffer limit configuration.'
    }
    const [hard, soft] = [readMemory(hardText), readMemory(softText)]
    if (Number.isNaN(hard) || Number.isNaN(soft) || !/^\d{1,9}$/.test(secondsText)) {
      return 'Error in hard, soft or soft_seconds setting in buffer limit configuration.'
    }
    const [hardBytes, softMs] = [hard === 0 ? bufferBytesMax : hard, Number(secondsText) * 1000]
    if (/^normal$/i.test(kind)) {
      Object.assign(read, { outputBytesMax: hardBytes, outputSoftBytes: soft, outputSoftMs: softMs })
      read.outputPauseBytes = Math.min(limits.outputPauseBytes, hardBytes)
    } else if (/^pubsub$/i.test(kind)) {
      Object.assign(read, { messageBytesMax: hardBytes, messageSoftBytes: soft, messageSoftMs: softMs })
    }
  }
  return read
}
