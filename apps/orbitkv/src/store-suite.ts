/**
 * What the tests of the store share: a store on a simulated disk and clock, that each test ends by verifying.
 * For tests only; not part of the build.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KiB } from '@orbitkv/base'
import { decodeText } from '@orbitkv/bytes'
import { SimulatedClock, SimulatedDisk, type SimulatedDiskOptions } from '@orbitkv/runtime/simulated'
import { type Bytes, type Entry, type OpenOptions, open, type RangeOptions, type Reader, type Store } from './index.ts'

/** Segments that hold a few dozen writes, so that tests cross from one to the next. */
export const smallSegments = { segmentBytes: 16 * KiB, zeroAheadBytes: 4 * KiB, reserveBytes: 0 } as const

/** The keyspace of the due index: its keys are live keys with an expiry. */
export const dueKeyspace = 1

export interface Setup {
  /** The store that is open now. */
  store: Store
  readonly disk: SimulatedDisk
  readonly clock: SimulatedClock
  /** Opens the store that the test has closed, or that lost its power, again. */
  readonly open: () => Promise<Store>
  /** Closes the store and opens it again. */
  readonly reopen: () => Promise<Store>
}

export interface SetupOptions {
  readonly settings?: OpenOptions
  readonly disk?: SimulatedDiskOptions
}

/** A test with a store in `/store`. At its end the store is checked and closed, where the test has not closed it. */
export function storeTest(
  name: string,
  body: (setup: Setup) => Promise<void> | void,
  options: SetupOptions = {},
): void {
  test(name, async () => {
    const disk = new SimulatedDisk(options.disk)
    const clock = new SimulatedClock()
    const openAgain = async (): Promise<Store> => {
      setup.store = await open('/store', { ...smallSegments, ...options.settings, disk, clock })
      return setup.store
    }
    const setup: Setup = {
      store: await open('/store', { ...smallSegments, ...options.settings, disk, clock }),
      disk,
      clock,
      open: openAgain,
      reopen: async () => {
        await setup.store.close()
        return openAgain()
      },
    }
    let isSound = false
    try {
      await body(setup)
      if (isOpen(setup.store)) assert.deepEqual((await setup.store.verify()).faults, [], 'the files are sound')
      isSound = true
    } finally {
      if (isSound) await setup.store.close()
      else {
        // The failure is what to tell. Whatever the test left waiting, syncs that it holds included, ends with a power cut.
        disk.crash()
        await Promise.allSettled([setup.store.close()])
      }
    }
  })
}

function isOpen(store: Store): boolean {
  try {
    return store.stats().details.poisoned === ''
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'store.closed')
    return false
  }
}

/** One turn of the event loop: every promise that can go on has gone on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** What a promise has come to, once everything that can go on has. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  let state: 'pending' | 'resolved' | 'rejected' = 'pending'
  promise.then(
    () => {
      state = 'resolved'
    },
    () => {
      state = 'rejected'
    },
  )
  await turn()
  return state
}

/** A value as text. */
export function read(reader: Reader, key: Bytes): string | undefined {
  const value = reader.get(key)
  return value === undefined ? undefined : decodeText(value)
}

export function keysOf(reader: Reader, options?: RangeOptions): string[] {
  return Array.from(reader.range(options), ({ key }) => decodeText(key))
}

export function entriesOf(reader: Reader, options?: RangeOptions): [string, string][] {
  return Array.from(reader.range(options), ({ key, value }: Entry) => [decodeText(key), decodeText(value)])
}
