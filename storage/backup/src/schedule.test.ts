/** Backups by the clock, over days of a clock that is told: what is made when, what goes, and what a disaster loses. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour, minute, Random, second } from '@orbitkv/base'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { backupConfig } from './config.ts'
import { pickStore, restore } from './restore.ts'
import { BackupSchedule, type ScheduleEvent } from './schedule.ts'
import { verifyBackups } from './verify.ts'
import { assertSameState, stateOf, World } from './world-suite.ts'

interface Scheduled {
  readonly world: World
  readonly events: ScheduleEvent[]
  schedule: BackupSchedule
  /** Lets time go on, with a write in each stretch. */
  pass(ms: number, stepMs: number): Promise<void>
}

async function start(
  random: Random,
  settings: Record<string, unknown>,
  targetDisk?: SimulatedDisk,
): Promise<Scheduled> {
  // Background timers of the store are not what this is about.
  const world = new World({ random, historyMs: 0, ...(targetDisk === undefined ? {} : { targetDisk }) })
  await world.open()
  const { vault, disk, clock } = world
  const events: ScheduleEvent[] = []
  const config = backupConfig.parse(settings)
  const make = (): BackupSchedule => {
    const tell = (event: ScheduleEvent): void => void events.push(event)
    const schedule = new BackupSchedule({ source: world.store, vault, disk, clock, config, tell })
    schedule.start()
    return schedule
  }
  const scheduled: Scheduled = {
    world,
    events,
    schedule: make(),
    async pass(ms, stepMs) {
      for (let passed = 0; passed < ms; passed += stepMs) {
        await clock.advanceAwaiting(stepMs)
        await settle()
        await world.write()
      }
      await clock.advanceAwaiting(0)
      await settle()
    },
  }
  return scheduled
}

/** Turns of the event loop in which a backup of a small store ends. */
async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await new Promise((resolve) => void setImmediate(resolve))
}

function kindsOf(events: readonly ScheduleEvent[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const event of events) {
    const kind = event.kind === 'made' ? (event.report.manifest?.kind ?? 'none') : event.kind
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

test('full backups, incremental ones, the log in between; what is older than kept goes', async () => {
  const settings = { archiveEvery: 5 * minute, incrementalEvery: 30 * minute, fullEvery: 6 * hour, keep: 12 * hour }
  const { world, events, schedule, pass } = await start(new Random(1), settings)
  await pass(30 * hour + 10 * minute, 5 * minute)
  const counts = kindsOf(events)
  assert.equal(counts.failed, undefined, JSON.stringify(events.filter(({ kind }) => kind === 'failed')))
  assert.equal(counts.full, 6)
  assert.ok((counts.incremental ?? 0) >= 50 && (counts.incremental ?? 0) <= 56, JSON.stringify(counts))
  assert.ok((counts.archive ?? 0) >= 280, JSON.stringify(counts))
  assert.ok((counts.pruned ?? 0) >= 2)
  const storeId = await pickStore(world.vault, undefined)
  const manifests = await world.vault.manifests(storeId)
  assert.equal(manifests[0]?.kind, 'full')
  assert.ok(manifests.filter(({ kind }) => kind === 'full').length <= 4)
  assert.deepEqual((await verifyBackups(world.vault, storeId)).faults, [])
  const keptFrom = world.clock.now() - 12 * hour
  const copiedTo = manifests.at(-1)?.end.time ?? 0
  const kept = world.history.filter(({ time }) => time >= keptFrom && time <= copiedTo)
  for (const { time, state } of kept.filter(() => world.random.chance(10))) {
    const { vault, disk, clock, random } = world
    const path = `/restored-${time}`
    await restore({ vault, disk, clock, randomUint32: () => random.uint32(), path, moment: { time } })
    const store = await world.openAt(path)
    assertSameState(stateOf(store), state, `as it was at ${time}`)
    await store.close()
  }
  await schedule.stop()
  await world.store.close()
})

test('what a disaster loses is at most what came after the last copy of the log', async () => {
  const { world, schedule, pass } = await start(new Random(2), {})
  await pass(10 * minute, 10 * second)
  const before = world.clock.now()
  const { vault, clock, random, history } = world
  const disk = new SimulatedDisk()
  const report = await restore({ vault, disk, clock, randomUint32: () => random.uint32(), path: '/new' })
  assert.ok(before - report.time <= minute + 10 * second, `${before - report.time} ms are lost`)
  const store = await world.openAt('/new', disk)
  assertSameState(stateOf(store), world.stateAt(report.revision), 'restored')
  assert.ok(report.revisionNext > (history.at(-1)?.revision ?? 0), 'above what was lost, too')
  await store.close()
  await schedule.stop()
  await world.store.close()
})

test('a restart goes on where it was: nothing is copied again', async () => {
  const scheduled = await start(new Random(3), {})
  const { world, events, pass } = scheduled
  await pass(3 * minute, minute)
  await scheduled.schedule.stop()
  await world.store.close()
  await world.open()
  const made = events.length
  const { vault, disk, clock } = world
  const config = backupConfig.defaults
  const tell = (event: ScheduleEvent): void => void events.push(event)
  scheduled.schedule = new BackupSchedule({ source: world.store, vault, disk, clock, config, tell })
  scheduled.schedule.start()
  await pass(3 * minute, minute)
  assert.ok(events.length > made)
  assert.deepEqual(Object.keys(kindsOf(events.slice(made))), ['archive'])
  await scheduled.schedule.stop()
  await world.store.close()
})

test('a target that is full is told and tried again; compaction has the log after a while, and backups go on', async () => {
  const targetDisk = new SimulatedDisk()
  const { world, events, schedule, pass } = await start(new Random(4), { archiveLag: 10 * minute }, targetDisk)
  await pass(3 * minute, minute)
  targetDisk.fail({ operation: 'write', error: 'full', lasting: true })
  await pass(5 * minute, minute)
  assert.equal(kindsOf(events).failed, 5)
  assert.match(schedule.failure, /no space left/)
  await world.store.compact()
  const held = await world.store.holdFiles()
  assert.ok(held.contents.base.position <= world.history[5]!.revision + 5, 'the log waits for its copy')
  await held.release()
  await pass(10 * minute, minute)
  await world.store.compact()
  const later = await world.store.holdFiles()
  assert.ok(later.contents.base.revision > 10, 'but not for ever')
  await later.release()
  targetDisk.clearFaults()
  await pass(2 * minute, minute)
  assert.equal(schedule.failure, '')
  const storeId = await pickStore(world.vault, undefined)
  assert.deepEqual((await verifyBackups(world.vault, storeId)).faults, [])
  await schedule.stop()
  await world.store.close()
})

test('while a full backup takes long, the log is copied beside it, and every moment can be restored', async () => {
  const random = new Random(5)
  const targetDisk = new SimulatedDisk()
  const settings = { archiveEvery: minute, incrementalEvery: hour, fullEvery: hour, bytesPerSecond: 200 }
  const { world, events, schedule, pass } = await start(random, settings, targetDisk)
  // Nothing waits for a limit while the log is short; the pauses of a limited copy are the clock's.
  await pass(59 * minute, minute)
  await world.writes(200)
  const before = events.length
  await pass(20 * minute, minute)
  const during = kindsOf(events.slice(before))
  assert.equal(during.failed, undefined, JSON.stringify(events.filter(({ kind }) => kind === 'failed')))
  assert.ok((during.archive ?? 0) >= 10, JSON.stringify(during))
  for (let i = 0; i < 40 && kindsOf(events).full !== 2; i++) await pass(5 * minute, minute)
  assert.equal(kindsOf(events).full, 2)
  await pass(3 * minute, minute)
  const storeId = await pickStore(world.vault, undefined)
  const manifests = await world.vault.manifests(storeId)
  assert.deepEqual((await verifyBackups(world.vault, storeId)).faults, [])
  const copiedTo = Math.max(...manifests.map(({ end }) => end.revision))
  for (const { revision, state } of world.history.filter((one) => one.revision <= copiedTo && random.chance(8))) {
    const { vault, disk, clock } = world
    const path = `/restored-${revision}`
    await restore({ vault, disk, clock, randomUint32: () => random.uint32(), path, moment: { revision } })
    const store = await world.openAt(path)
    assertSameState(stateOf(store), state, `revision ${revision}`)
    await store.close()
  }
  await schedule.stop()
  await world.store.close()
})
