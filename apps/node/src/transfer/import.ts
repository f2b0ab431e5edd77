/**
 * Brings the records of a reader into a target, batch by batch, with its progress in the same batches.
 *
 * Bounded: one block of the file, one batch being filled, and `batchesInFlightMax` that wait for their acknowledgement.
 * What must hold: when progress says that a place is reached, every entry before it is stored. Batches take effect in
 * their order, so the newest progress in the store is right even where later batches were lost.
 */

import { MiB } from '@orbitkv/base'
import type { Clock } from '@orbitkv/runtime'
import type { Entry } from '../formats/mapping.ts'
import type { Target } from '../targets/target.ts'
import type { ImportCounts } from './progress-record.ts'
import type { Rejects } from './rejects.ts'

export const batchEntriesMax = 1000
export const batchBytesMax = 1 * MiB
export const batchesInFlightMax = 4

/** How far a reader has come; each kind of source adds what it needs to go on from there. */
export interface Progressed {
  /** Records read so far, faulty ones included. */
  readonly records: number
}

/** Where records come from. The caller may stop after any step and a later reader go on from its place. */
export interface Records<Place extends Progressed, Fault> {
  /** Behind the last step. */
  readonly place: Place
  /** The next entry or fault that needs no further reading; undefined: call `more`. */
  next(): { readonly entry: Entry } | Fault | undefined
  /** Reads on; false at the end. */
  more(): Promise<boolean>
}

export interface ImportJob<Place extends Progressed, Fault extends { readonly problem: string }> {
  readonly reader: Records<Place, Fault>
  readonly target: Target
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Where faulty records go; undefined: the first one ends the import. */
  readonly rejects: Rejects<Fault> | undefined
  /** The error that a fault is, where it ends the import. */
  readonly refuse: (fault: Fault) => Error
  readonly counts: ImportCounts
  /** The entry that keeps the progress; undefined where there is none to keep. */
  readonly progressEntry: ((place: Place, counts: ImportCounts, rejectsBytes: number) => Entry) | undefined
  readonly report: (place: Place, counts: ImportCounts) => void
}

export interface ImportResult<Place> {
  readonly counts: ImportCounts
  readonly place: Place
  /** False when it was told to stop before the end. */
  readonly finished: boolean
}

/** Resolves once everything it took is acknowledged. Errors: those of `refuse`, and whatever the target gives. */
export async function runImport<Place extends Progressed, Fault extends { readonly problem: string }>(
  job: ImportJob<Place, Fault>,
): Promise<ImportResult<Place>> {
  const { reader, rejects, signal } = job
  const counts = { ...job.counts }
  const inFlight: Promise<void>[] = []
  let failure: unknown
  let batch: Entry[] = []
  let batchBytes = 0
  let place = reader.place
  let committed = place

  const commit = async (): Promise<void> => {
    if (place.records === committed.records) return
    await rejects?.flush()
    const entries = batch
    const upTo = place
    if (job.progressEntry !== undefined) entries.push(job.progressEntry(upTo, counts, rejects?.bytes ?? 0))
    batch = []
    batchBytes = 0
    committed = upTo
    if (entries.length > 0) {
      inFlight.push(
        job.target.write(entries).then(
          ({ replaced }) => {
            counts.replaced += replaced
            job.report(upTo, counts)
          },
          (error: unknown) => {
            failure ??= error
          },
        ),
      )
    }
    while (inFlight.length >= batchesInFlightMax) await inFlight.shift()
    if (failure !== undefined) throw failure
  }

  try {
    let finished = false
    while (!signal.aborted && !finished) {
      const step = reader.next()
      if (step === undefined) {
        finished = (await untilAborted(reader.more(), signal)) === false
        continue
      }
      if ('entry' in step) {
        const { entry } = step
        if (entry.expiresAt > 0 && entry.expiresAt <= job.clock.now()) {
          counts.expired++
        } else {
          batch.push(entry)
          batchBytes += entry.key.length + entry.value.length
          counts.stored++
        }
      } else if (rejects === undefined) {
        // What came before the fault is stored; the fault itself is met again by the next run.
        await commit()
        throw job.refuse(step)
      } else {
        rejects.add(step)
        counts.rejected++
      }
      place = reader.place
      if (place.records - committed.records >= batchEntriesMax || batchBytes >= batchBytesMax) await commit()
    }
    await commit()
    await Promise.all(inFlight)
    if (failure !== undefined) throw failure
    return { counts, place, finished }
  } finally {
    await Promise.all(inFlight)
  }
}

/** A pipe may stay silent for ever: being told to stop ends the wait, with undefined. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result | undefined> {
  if (signal.aborted) return undefined
  let stop = () => {}
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
