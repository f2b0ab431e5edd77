/**
 * Random histories on an engine and its twin, compared at every state. The same seed gives the same history.
 */

import assert from 'node:assert/strict'
import { Random } from '@orbitkv/base'
import { deleteChange, deleteRangeChange, putChange } from '../change.ts'
import { type At, type Change, type Engine, latest, published, type Range } from '../contract.ts'
import { copyKey, copyValue, type RecordView } from '../record.ts'
import { Twin, type TwinRecord } from './twin.ts'

export interface ModelOptions {
  readonly seed: number
  readonly steps: number
  /** Called when the history wants the engine closed and opened again, everything durable. */
  readonly reopen?: (engine: Engine) => Promise<Engine>
  /** Called after each step, with the engine as it stands. */
  readonly check?: (engine: Engine) => void
}

const keyspaces = [0, 1, 7]

/** Runs a random history; returns the engine and twin as they stand at its end. */
export async function runModel(start: Engine, options: ModelOptions): Promise<{ engine: Engine; twin: Twin }> {
  const random = new Random(options.seed)
  const twin = new Twin()
  let engine = start
  let time = 1_000_000
  /** Few prefixes and lengths, so that keys collide, share prefixes and are prefixes of one another. */
  const someKey = (): Uint8Array => {
    const prefix = random.pick([[], [0], [255, 255], [117, 115, 101, 114, 58], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]])
    const tail = random.bytes(random.between(0, 3)).map((byte) => byte & 7)
    return Uint8Array.of(...prefix, ...tail)
  }
  const someChange = (): Change => {
    const keyspace = random.pick(keyspaces)
    if (random.chance(40)) return deleteRangeChange(keyspace, someKey(), random.chance(3) ? undefined : someKey())
    if (random.chance(4)) return deleteChange(keyspace, someKey())
    const value = random.bytes(random.chance(20) ? random.between(100, 3000) : random.between(0, 40))
    const options = {
      expiresAt: random.chance(5) ? random.between(1, 2 ** 31) * 4096 : 0,
      lease: random.chance(9) ? random.between(1, 2 ** 31) * 1024 : 0,
      tag: random.chance(3) ? random.between(1, 255) : 0,
    }
    return putChange(keyspace, someKey(), value, options)
  }

  for (let step = 0; step < options.steps; step++) {
    const dice = random.below(100)
    if (dice < 12) {
      const change = someChange()
      if (engine.extend(change, time)) twin.extend(change)
    } else if (dice < 55) {
      const changes = Array.from({ length: random.chance(6) ? random.between(2, 60) : 1 }, someChange)
      const isHousekeeping = random.chance(8) && changes.every(({ kind }) => kind !== 'delete-range')
      const revision = engine.appendedRevision + (isHousekeeping ? 0 : 1)
      time += random.below(3)
      twin.append({ changes, revision, time })
      assert.equal(engine.append({ changes, revision, time }), twin.appendedPosition, 'positions go up by one')
    } else if (dice < 65) {
      const position = random.between(engine.publishedPosition, engine.appendedPosition)
      engine.write()
      engine.publish(position)
      twin.publish(position)
    } else if (dice < 70) {
      assert.equal(await engine.sync(), engine.appendedPosition, 'a sync covers what was appended')
    } else if (dice < 74 && engine.capabilities.truncate) {
      const position = random.between(engine.publishedPosition, engine.appendedPosition)
      await engine.truncateAfter(position)
      twin.truncateAfter(position)
    } else if (dice < 76 && options.reopen !== undefined && random.chance(3)) {
      engine = await options.reopen(engine)
      twin.reopen(engine.oldestRevision)
    } else if (dice < 77 && engine.capabilities.versions) {
      const revision = random.between(engine.oldestRevision, engine.publishedRevision)
      for (let done = false; !done; ) done = engine.retain(revision)
      twin.retain(revision)
    } else if (dice < 79 && engine.capabilities.compaction) {
      await engine.compact(random.pick(['garbage', 'all'] as const))
      twin.retain(engine.oldestRevision)
    } else {
      compareRead(engine, twin, random, someKey)
    }
    assert.equal(engine.appendedRevision, twin.appendedRevision)
    assert.equal(engine.publishedRevision, twin.publishedRevision)
    options.check?.(engine)
  }
  compareEngines(engine, twin)
  return { engine, twin }
}

function compareRead(engine: Engine, twin: Twin, random: Random, someKey: () => Uint8Array): void {
  const keyspace = random.pick(keyspaces)
  const at = someState(engine, random)
  const key = random.chance(2) ? someKey() : (random.pick([...twin.keys(), someKey()]) as Uint8Array)
  sameRecord(engine.get(keyspace, key, 0, key.length, at), twin.get(keyspace, key, at))
  const range: Range = {
    ...(random.chance(3) ? {} : random.chance(2) ? { gte: someKey() } : { gt: someKey() }),
    ...(random.chance(3) ? {} : random.chance(2) ? { lt: someKey() } : { lte: someKey() }),
    ...(random.chance(2) ? {} : { limit: random.between(0, 20) }),
    reverse: random.chance(2),
    at,
  }
  sameRange(engine, twin, keyspace, range)
}

function someState(engine: Engine, random: Random): At {
  if (!engine.capabilities.versions) return random.pick([published, latest])
  return random.pick([published, latest, random.between(engine.oldestRevision, engine.publishedRevision)])
}

/** Compares every keyspace at the published and latest states, and at some revisions. */
export function compareEngines(engine: Engine, twin: Twin): void {
  const states: At[] = [published, latest]
  if (engine.capabilities.versions) {
    const { oldestRevision, publishedRevision } = engine
    for (let part = 0; part <= 4; part++) {
      states.push(oldestRevision + Math.floor(((publishedRevision - oldestRevision) * part) / 4))
    }
  }
  for (const keyspace of keyspaces) {
    for (const at of states) {
      sameRange(engine, twin, keyspace, { at })
      assert.equal(
        engine.count(keyspace, { at }),
        twin.range(keyspace, { at }).length,
        'the count is that of the range',
      )
    }
  }
}

function sameRange(engine: Engine, twin: Twin, keyspace: number, range: Range): void {
  const expected = twin.range(keyspace, range)
  let seen = 0
  for (const record of engine.range(keyspace, range)) sameRecord(record, expected[seen++])
  assert.equal(seen, expected.length, 'a range has as many records')
}

function sameRecord(record: RecordView | undefined, expected: TwinRecord | undefined): void {
  if (record === undefined || expected === undefined) {
    assert.equal(record === undefined ? 'absent' : 'there', expected === undefined ? 'absent' : 'there')
    return
  }
  const { value: _, key: __, isPut: ___, position: ____, ...numbers } = expected
  assert.deepEqual(copyKey(record), expected.key)
  assert.deepEqual(copyValue(record), expected.value)
  const { revision, createRevision, previousRevision, version, expiresAt, lease, tag } = record
  assert.deepEqual({ expiresAt, lease, tag, revision, createRevision, previousRevision, version }, numbers)
}
