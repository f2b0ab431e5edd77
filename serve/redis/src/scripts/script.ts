/**
 * A script as it came: its text, the digest by which EVALSHA names it, and what its first line says of it.
 */

import { createHash } from 'node:crypto'
import { CommandError } from '../commands/command.ts'

export interface Script {
  /** 40 small hexadecimal digits. */
  readonly digest: string
  /** Without its first line where that is a shebang; the line's end stays, so that lines keep their numbers. */
  readonly text: Uint8Array
  /** Of the whole, for the limit on all scripts. */
  readonly bytes: number
  /** Undefined where it has no shebang line. */
  readonly flags: ReadonlySet<string> | undefined
}

const knownFlags = new Set(['no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'])

export function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

/** Throws what the client is told where the first line is none that is known. */
export function readScript(source: Uint8Array): Script {
  const digest = sha1(source)
  const isMarked = source[0] === 0x23 && source[1] === 0x21
  if (!isMarked) return { digest, text: source, bytes: source.length, flags: undefined }
  const lineEnd = source.indexOf(0x0a)
  if (lineEnd < 0) throw new CommandError('ERR Invalid script shebang')
  const flags = readFlags(Buffer.from(source.subarray(0, lineEnd)).toString())
  return { digest, text: source.subarray(lineEnd), bytes: source.length, flags }
}

function readFlags(line: string): ReadonlySet<string> {
  const [engine, ...options] = line.split(/\s+/).filter((part) => part !== '')
  if (engine !== '#!lua') throw new CommandError(`ERR Unexpected engine in script shebang: ${engine}`)
  const flags = new Set<string>()
  for (const option of options) {
    if (!option.startsWith('flags=')) throw new CommandError(`ERR Unknown lua shebang option: ${option}`)
    for (const flag of option.slice('flags='.length).split(',')) {
      if (flag === '') continue
      if (!knownFlags.has(flag)) throw new CommandError(`ERR Unexpected flag in script shebang: ${flag}`)
      flags.add(flag)
    }
  }
  return flags
}
