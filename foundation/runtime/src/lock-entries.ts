/**
 * The lock of the plain JavaScript disk: an empty file beside the locked path, whose name says who holds it.
 *
 * Node offers no lock that the kernel lets go of when a process dies, so an entry can outlive its holder and somebody
 * has to take over. With one lock file for all, two who find it stale race: the slower removes what the faster has just
 * made. So each holder has an entry of its own, `<path>.held-<pid>-<start>-<boot>-<pids>-<thread>-<count>`:
 *  1. Whoever wants the lock makes its entry first, and only then looks for those of others.
 *  2. If it finds one of a living holder, it removes its own and has not got the lock.
 *  3. Entries of the dead it removes. That cannot hit a living one: process id, start time and boot together never
 *     come again.
 * Of two who try at once, at least one sees the other's entry, because both wrote before they looked; both may be
 * refused, never both admitted. The name carries everything, so there is no moment at which an entry exists
 * half-written.
 *
 * A holder on the native disk has no entry but a lock of the kernel on the path itself; Linux lists those in
 * /proc/locks.
 *
 * Limits: a process of another container (its own process ids) or, away from Linux, one whose number was given again
 * counts as living, and its entry must then be removed by hand. A worker that is terminated leaves its entry until its
 * process ends. On a folder shared between machines this lock does not hold.
 */

import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { threadId } from 'node:worker_threads'
import type { DiskLock } from './disk.ts'
import { isErrno } from './disk-failure.ts'

interface Holder {
  readonly pid: number
  /** Clock ticks from boot to the start of the process; 0 where the system does not tell. */
  readonly start: string
  /** The beginning of the boot's id; 0 where the system does not tell. */
  readonly boot: string
  /** Which numbering of processes the pid belongs to; 0 where there is only one. */
  readonly pids: string
}

let entriesMade = 0

/** Takes the lock; undefined if somebody else has it. Errors of the system are thrown as they come. */
export function takeEntry(path: string): DiskLock | undefined {
  const { pid, start, boot, pids } = thisProcess()
  const own = `${prefixOf(path)}${pid}-${start}-${boot}-${pids}-${threadId}-${++entriesMade}`
  const entry = join(dirname(path), own)
  fs.writeFileSync(entry, '', { flag: 'wx' })
  let taken = false
  try {
    taken = findHolder(path, own) === undefined && !isLockedByKernel(path)
  } finally {
    if (!taken) fs.rmSync(entry, { force: true })
  }
  if (!taken) return undefined
  return { release: () => fs.rmSync(entry, { force: true }) }
}

/** The process id of a living holder of an entry for `path`, apart from `own`; removes the entries of the dead. */
export function findHolder(path: string, own?: string): number | undefined {
  const prefix = prefixOf(path)
  for (const name of fs.readdirSync(dirname(path))) {
    if (name === own || !name.startsWith(prefix)) continue
    const [pid, start, boot, pids] = name.slice(prefix.length).split('-')
    if (pid === undefined || start === undefined || boot === undefined || pids === undefined) continue
    const holder = { pid: Number(pid), start, boot, pids }
    if (!hasEnded(holder)) return holder.pid
    fs.rmSync(join(dirname(path), name), { force: true })
  }
  return undefined
}

function prefixOf(path: string): string {
  return `${basename(path)}.held-`
}

function thisProcess(): Holder {
  return { pid: process.pid, start: startOf(process.pid) ?? '0', boot: bootId(), pids: processNumbering() }
}

function hasEnded(holder: Holder): boolean {
  if (holder.boot !== bootId()) return true
  if (holder.pids !== processNumbering()) return false
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    // Not ESRCH: it is there, but belongs to another user.
    if (isErrno(error, 'ESRCH')) return true
  }
  const start = startOf(holder.pid)
  return start !== undefined && start !== holder.start
}

/** When a process started; `ended` for one that only waits for its parent to notice; undefined if we cannot know. */
function startOf(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name, in brackets, may itself hold blanks and brackets. State is the field after it, start the 22nd of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return 'ended'
  return fields[19]
}

function bootId(): string {
  return readIfThere('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? '0'
}

function processNumbering(): string {
  try {
    return /\d+/.exec(fs.readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EACCES')) return '0'
    throw error
  }
}

function isLockedByKernel(path: string): boolean {
  const locks = readIfThere('/proc/locks')
  if (locks === undefined) return false
  const { dev, ino } = fs.statSync(path)
  // The C library's encoding of a device number, and the kernel's spelling of it: hexadecimal, two digits at least.
  const major = (dev >>> 8) & 0xfff
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00)
  const device = `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}`
  return locks.split('\n').some((line) => line.includes('OFDLCK') && line.includes(` ${device}:${ino} `))
}

function readIfThere(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EACCES') || isErrno(error, 'ESRCH')) return undefined
    throw error
  }
}
