/**
 * The real disk: on the native addon where it loads, in plain JavaScript where it does not. `apps` and the embedded
 * package make one; everything below is handed it as a Disk.
 */

import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { native, nativeProblem, switchedOff } from '@orbitkv/native'
import type { Disk } from './disk.ts'
import { diskErrors } from './errors.ts'
import { JavaScriptDisk } from './javascript-disk.ts'
import { NativeDisk } from './native-disk.ts'

/** Threads that are started later see it, so that it is said once a process rather than once a thread. */
const saidKey = 'orbitkv: said that the plain JavaScript disk is used'

/**
 * `native`: true demands the addon (`disk.failed` where it does not load), false does without. By default the addon is
 * used if it loads; if not, that is said once a process on stderr, unless it was switched off by ORBIT_NATIVE=0.
 */
export function realDisk(options: { native?: boolean } = {}): Disk {
  if (options.native === false) return new JavaScriptDisk()
  if (native !== undefined) return new NativeDisk(native)
  const reason = nativeProblem ?? 'unknown'
  if (options.native === true) {
    throw diskErrors.failed({ operation: 'loading', path: 'the native addon', reason })
  }
  if (reason !== switchedOff && getEnvironmentData(saidKey) !== true) {
    setEnvironmentData(saidKey, true)
    process.stderr.write(
      `orbitkv: using the plain JavaScript disk, which is slower (${reason}); ` +
        'npm rebuild @orbitkv/native builds the addon, ORBIT_NATIVE=0 silences this\n',
    )
  }
  return new JavaScriptDisk()
}
