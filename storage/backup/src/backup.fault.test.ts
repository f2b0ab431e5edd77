/**
 * Power cuts at every step of backup, prune and restore; a target that is full, damaged or incomplete; folders that are not
 * empty; two backups at once. What was there stays whole, what is wrong is named, and trying again succeeds.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { day, hasCode, KiB, Random, seedsFor } from '@orbitkv/base'
import { type CrashMode, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { backUp } from './backup.ts'
import type { Moment } from './plan.ts'
import { pruneBackups } from './prune.ts'
import { pickStore, type RestoreReport, restore } from './restore.ts'
import { verifyBackups } from './verify.ts'
import { assertSameState, PowerCut, type State, stateOf, World } from './world-suite.ts'

const modes: readonly CrashMode[] = ['random', 'prefix', 'drop-all', 'keep-all']

function restoreTo(world: World, path: string, moment?: Moment, disk = world.disk): Promise<RestoreReport> {
  const { vault, clock, random } = world
  return restore({ vault, disk, clock, randomUint32: () => random.uint32(), path, moment })
}

async function assertRestores(
  world: World,
  path: string,
  moment: Moment,
  wanted: State,
  disk = world.disk,
): Promise<void> {
  await restoreTo(world, path, moment, disk)
  const store = await world.openAt(path, disk)
  assertSameState(stateOf(store), wanted, JSON.stringify(moment) ?? 'latest')
  assert.deepEqual((await store.verify()).faults, [])
  await store.close()
}

/** A world with some backups whose disks obey a power cut. */
async function makeWorld(random: Random): Promise<{ world: World; cut: PowerCut; storeId: string }> {
  const cut = new PowerCut()
  const { schedule } = cut
  const disk = new SimulatedDisk({ seed: random.uint32(), schedule })
  const targetDisk = new SimulatedDisk({ seed: random.uint32(), schedule })
  const world = new World({ random, disk, targetDisk })
  await world.open()
  await world.writes(20)
  await world.backUp('full')
  await world.writes(80)
  await world.backUp('archive')
  await world.writes(10)
  await world.backUp('incremental')
  return { world, cut, storeId: await pickStore(world.vault, undefined) }
}

for (const seed of seedsFor('backup crashes', { kept: [], fresh: 1 })) {
  test(`a power cut at any step of a backup leaves what was there, and the next one succeeds, seed ${seed}`, async () => {
    const random = new Random(seed)
    let ended = false
    for (let operations = 0; !ended; operations += random.between(1, 6)) {
      const { world, cut, storeId } = await makeWorld(random)
      const before = world.newest
      await world.writes(30)
      const kind = random.pick(['full', 'incremental', 'archive'] as const)
      ended = await cut.after(operations, () => world.backUp(kind))
      world.disk.crash({ mode: random.pick(modes) })
      world.targetDisk.crash({ mode: random.pick(modes) })
      assert.deepEqual((await verifyBackups(world.vault, storeId)).faults, [])
      await assertRestores(world, '/restored', { revision: before.revision }, before.state)
      await world.open()
      assertSameState(stateOf(world.store), world.newest.state, 'the store has lost nothing')
      await world.backUp(kind)
      await assertRestores(world, '/again', undefined, world.newest.state)
      await world.store.close()
    }
  })

  test(`a power cut at any step of pruning leaves every kept moment, and the next one ends it, seed ${seed}`, async () => {
    const random = new Random(seed)
    let ended = false
    for (let operations = 0; !ended; operations += random.between(1, 4)) {
      const { world, cut, storeId } = await makeWorld(random)
      const { vault, clock } = world
      clock.stepWall(day)
      await world.writes(30)
      await world.backUp('full')
      const keepFrom = world.newest
      clock.stepWall(day)
      await world.writes(30)
      await world.backUp('incremental')
      const prune = () => pruneBackups({ vault, clock, storeId, keepMs: day })
      ended = await cut.after(operations, prune)
      world.targetDisk.crash({ mode: random.pick(modes) })
      assert.deepEqual((await verifyBackups(vault, storeId)).faults, [])
      const kept = world.history.filter(({ revision }) => revision >= keepFrom.revision)
      const { revision, state } = random.pick(kept)
      await assertRestores(world, '/restored', { revision }, state)
      await prune()
      const left = await vault.manifests(storeId)
      assert.equal(left[0]?.kind, 'full')
      assert.equal(left.length, 2)
      const names = world.targetDisk.list(`/target/${storeId}/data`)
      const needed = new Set(left.flatMap(({ pieces }) => pieces.map((piece) => vault.pieceKey(storeId, piece))))
      assert.deepEqual(names.sort(), [...needed].map((key) => `${key.split('/').at(-1)}.object`).sort())
      await assertRestores(world, '/again', { revision }, state)
      await world.store.close()
    }
  })

  test(`a power cut at any step of a restore leaves no store, and the next one makes it, seed ${seed}`, async () => {
    const random = new Random(seed)
    const { world } = await makeWorld(random)
    let ended = false
    for (let operations = 0; !ended; operations += random.between(1, 4)) {
      const cut = new PowerCut()
      const disk = new SimulatedDisk({ seed: random.uint32(), schedule: cut.schedule })
      ended = await cut.after(operations, () => restoreTo(world, '/deep/restored', undefined, disk))
      disk.crash({ mode: random.pick(modes) })
      if (disk.exists('/deep/restored/orbit.json')) {
        // The very last step: what is there is whole.
        const store = await world.openAt('/deep/restored', disk)
        assertSameState(stateOf(store), world.newest.state, 'what is a store is whole')
        await store.close()
        continue
      }
      assert.ok(!ended, 'a restore that has ended has made a store')
      if (disk.exists('/deep/restored/restore.unfinished')) {
        await assert.rejects(world.openAt('/deep/restored', disk), (error) => hasCode(error, 'engine.not_a_store'))
      }
      await assertRestores(world, '/deep/restored', undefined, world.newest.state, disk)
    }
  })
}

test('any damaged or missing piece is named, with the file of the store that it has a part of', async () => {
  const { world, storeId } = await makeWorld(new Random(11))
  const folder = `/target/${storeId}/data`
  const names = world.targetDisk.list(folder)
  assert.ok(names.length > 4)
  for (const [index, name] of names.entries()) {
    const path = `${folder}/${name}`
    const isMissing = index % 2 === 0
    if (isMissing) world.targetDisk.rename(path, `${path}.away`)
    else world.targetDisk.flipBit(path, 100, 3)
    const { faults } = await verifyBackups(world.vault, storeId)
    assert.equal(faults.length, 1, name)
    const object = name.replace('.object', '')
    assert.ok(faults[0]?.object.endsWith(object))
    const [, number, kind] = /-(\d+)\.(log|sorted)-/.exec(object) ?? []
    assert.equal(faults[0]?.file, `${number?.padStart(10, '0')}.${kind}`)
    assert.match(faults[0]?.problem ?? '', isMissing ? /there is no object/ : /is damaged at byte 0/)
    if (isMissing) world.targetDisk.rename(`${path}.away`, path)
    else world.targetDisk.flipBit(path, 100, 3)
  }
  assert.deepEqual((await verifyBackups(world.vault, storeId)).faults, [])
})

test('a restore that meets a damaged piece fails by name, and the folder is no store', async () => {
  const { world, storeId } = await makeWorld(new Random(12))
  const folder = `/target/${storeId}/data`
  const [first = ''] = world.targetDisk.list(folder)
  world.targetDisk.flipBit(`${folder}/${first}`, 100, 3)
  await assert.rejects(restoreTo(world, '/restored'), (error: Error) => {
    return hasCode(error, 'objects.corrupt') && error.message.includes(first.replace('.object', ''))
  })
  await assert.rejects(world.openAt('/restored'), (error) => hasCode(error, 'engine.not_a_store'))
  world.targetDisk.flipBit(`${folder}/${first}`, 100, 3)
  await assertRestores(world, '/restored', undefined, world.newest.state)
})

test('a restore with a piece missing, or the manifest that names its pieces, fails by name, and succeeds with it', async () => {
  const { world, storeId } = await makeWorld(new Random(18))
  const { targetDisk } = world
  for (const folder of ['data', 'manifests'].map((name) => `/target/${storeId}/${name}`)) {
    const [first = ''] = targetDisk.list(folder)
    targetDisk.rename(`${folder}/${first}`, `${folder}/${first}.away`)
    const code = folder.endsWith('data') ? 'objects.not_found' : 'backup.missing'
    await assert.rejects(restoreTo(world, '/restored'), (error: Error) => hasCode(error, code))
    await assert.rejects(world.openAt('/restored'))
    targetDisk.rename(`${folder}/${first}.away`, `${folder}/${first}`)
  }
  await assertRestores(world, '/restored', undefined, world.newest.state)
})

test('a file of the store that is shorter than its log says is named', async () => {
  const { world } = await makeWorld(new Random(19))
  await world.writes(40)
  const hold = await world.store.holdFiles()
  const [file] = hold.files.filter(({ kind }) => kind === 'log').toReversed()
  const source = {
    holdFiles: async () => {
      return { ...hold, files: hold.files.map((one) => (one === file ? { ...one, bytes: 10 ** 6 } : one)) }
    },
  }
  const { vault, disk, clock } = world
  await assert.rejects(backUp(source, { vault, disk, clock, kind: 'archive' }), (error: Error) => {
    return hasCode(error, 'backup.source_short') && error.message.includes(file?.path ?? '?')
  })
  await world.store.close()
})

test('a damaged manifest is named, and nothing is pruned while it is there', async () => {
  const { world, storeId } = await makeWorld(new Random(13))
  const folder = `/target/${storeId}/manifests`
  const names = world.targetDisk.list(folder)
  world.targetDisk.flipBit(`${folder}/${names[0]}`, 50, 1)
  const { faults } = await verifyBackups(world.vault, storeId)
  assert.ok(faults.some(({ object }) => object.endsWith('000000000001')))
  world.clock.stepWall(90 * day)
  const { vault, clock } = world
  await assert.rejects(pruneBackups({ vault, clock, storeId, keepMs: day }), (error) =>
    hasCode(error, 'objects.corrupt'),
  )
})

test('a manifest that is none of ours, or another one, or of a newer format, is named', async () => {
  const { world, storeId } = await makeWorld(new Random(21))
  const { vault } = world
  const [key = ''] = await vault.manifestKeys(storeId)
  const good = JSON.parse(Buffer.from(await vault.objects.get(key)).toString()) as Record<string, unknown>
  const piece = (good.pieces as object[])[0]
  const cases: readonly (readonly [unknown, string])[] = [
    ['{', 'backup.damaged'],
    [null, 'backup.damaged'],
    [{}, 'backup.damaged'],
    [{ ...good, format: 2 }, 'backup.newer_format'],
    [{ ...good, sequence: 2 }, 'backup.damaged'],
    [{ ...good, pieces: [{ ...piece, number: '../../etc/passwd' }] }, 'backup.damaged'],
    [{ ...good, files: [{ kind: '../x', number: 1, seed: 1, bytes: 1 }] }, 'backup.damaged'],
  ]
  for (const [value, code] of cases) {
    await vault.objects.put(key, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
    await assert.rejects(
      restoreTo(world, '/restored'),
      (error: Error) => hasCode(error, code) && error.message.includes(key),
    )
    assert.ok(!world.disk.exists('/restored'))
  }
})

test('a full target: the backup fails by name, older ones stay, the store goes on', async () => {
  const random = new Random(14)
  const targetDisk = new SimulatedDisk({ capacityBytes: 100 * KiB })
  const world = new World({ random, targetDisk })
  await world.open()
  await world.writes(20)
  await world.backUp('full')
  const { revision, state } = world.newest
  await world.writes(400)
  await assert.rejects(world.backUp('incremental'), (error) => hasCode(error, 'disk.full'))
  await world.writes(5)
  const storeId = await pickStore(world.vault, undefined)
  assert.deepEqual((await verifyBackups(world.vault, storeId)).faults, [])
  await assertRestores(world, '/restored', { revision }, state)
})

test('a folder that holds anything is not restored to', async () => {
  const { world } = await makeWorld(new Random(15))
  await assert.rejects(restoreTo(world, '/store'), (error: Error) => {
    return hasCode(error, 'backup.not_empty') && error.message.includes('a store')
  })
  world.disk.makeDirectory('/other')
  world.disk.open('/other/notes', 'create').close()
  await assert.rejects(restoreTo(world, '/other'), (error: Error) => {
    return hasCode(error, 'backup.not_empty') && error.message.includes('notes')
  })
  assert.deepEqual(world.disk.list('/other'), ['notes'])
})

test('no room, no backup, no such store, several stores: each by name', async () => {
  const { world, storeId } = await makeWorld(new Random(16))
  const small = new SimulatedDisk({ capacityBytes: 20 * KiB })
  await assert.rejects(restoreTo(world, '/restored', undefined, small), (error) => hasCode(error, 'backup.no_room'))
  const { vault } = world
  await assert.rejects(pickStore(world.vaultOn('/nothing'), undefined), (error) => hasCode(error, 'backup.none'))
  await assert.rejects(pickStore(vault, 'x'), (error: Error) => {
    return hasCode(error, 'backup.no_such_store') && error.message.includes(storeId)
  })
  await restoreTo(world, '/restored')
  const other = await world.openAt('/restored')
  const { disk, clock } = world
  await backUp(other, { vault, disk, clock, kind: 'incremental' })
  await other.close()
  await assert.rejects(restoreTo(world, '/more'), (error: Error) => {
    return hasCode(error, 'backup.which_store') && error.message.includes(storeId)
  })
})

test('the wrong key, no key, and a key where none is needed: each by name, and no byte of it is plain', async () => {
  const key = new Uint8Array(32).fill(1)
  const world = new World({ random: new Random(17), key })
  await world.open()
  await world.store.put('secret-key', 'secret-value'.repeat(10))
  await world.backUp('full')
  const storeId = await pickStore(world.vault, undefined)
  const other = world.vaultOn('/target', new Uint8Array(32).fill(2))
  await assert.rejects(other.manifests(storeId), (error) => hasCode(error, 'backup.wrong_key'))
  const { FolderObjects } = await import('@orbitkv/objects')
  const { Vault } = await import('./vault.ts')
  const parts = { clock: world.clock, randomUint32: () => world.random.uint32() }
  const objects = new FolderObjects('/target', { disk: world.targetDisk, ...parts })
  await assert.rejects(new Vault({ objects, ...parts }).manifests(storeId), (error) =>
    hasCode(error, 'backup.needs_key'),
  )
  let bytes = 0
  for await (const name of objects.list(`${storeId}/`)) {
    const body = Buffer.from(await objects.get(name))
    bytes += body.length
    assert.ok(!body.includes('secret') && !body.includes('storeId'), name)
  }
  assert.ok(bytes > 200)
  const plain = await makeWorld(new Random(18))
  const keyed = plain.world.vaultOn('/target', key)
  await assert.rejects(keyed.manifests(plain.storeId), (error) => hasCode(error, 'backup.not_encrypted'))
})

test('of two backups that end at once, one is refused', async () => {
  const { world, storeId } = await makeWorld(new Random(19))
  await world.writes(5)
  const ended = await Promise.allSettled([world.backUp('incremental'), world.backUp('incremental')])
  const [refused] = ended.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
  assert.ok(hasCode(refused?.reason, 'backup.conflict'), String(refused?.reason))
  assert.deepEqual((await verifyBackups(world.vault, storeId)).faults, [])
  await assertRestores(world, '/restored', undefined, world.newest.state)
})

test('a backup that is stopped leaves its pieces to the next one, which does not copy them again', async () => {
  const { world } = await makeWorld(new Random(20))
  await world.writes(200)
  const stop = new AbortController()
  const { vault, disk, clock } = world
  const stopped = backUp(world.store, {
    vault,
    disk,
    clock,
    kind: 'incremental',
    signal: stop.signal,
    progress: (done, total) => {
      if (done > total / 2) stop.abort()
    },
  })
  await assert.rejects(stopped, (error) => hasCode(error, 'backup.stopped'))
  world.targetDisk.counts.writtenBytes = 0
  const { manifest } = await world.backUp('incremental')
  assert.ok(world.targetDisk.counts.writtenBytes < 0.7 * (manifest?.bytesCopied ?? 0))
  await assertRestores(world, '/restored', undefined, world.newest.state)
})

for (const seed of seedsFor('backup of a damaged store', { kept: [], fresh: 3 })) {
  test(`a flipped bit in a file of the store is not backed up as sound, seed ${seed}`, async () => {
    const random = new Random(seed)
    for (const kind of ['full', 'incremental', 'archive'] as const) {
      const world = new World({ random })
      await world.open()
      await world.writes(60)
      await world.store.compactTo(world.newest.revision)
      await world.store.compact()
      await world.writes(20)
      await world.backUp('full')
      const kept = world.newest
      await world.writes(60)
      const storeId = await pickStore(world.vault, undefined)
      const [before] = await world.vault.manifests(storeId)
      const hold = await world.store.holdFiles()
      await hold.release()
      // What the kind copies: everything, or what of the log is behind the first backup.
      const files = hold.files
        .map((file) => {
          const known = before?.files.find((one) => one.kind === file.kind && one.number === file.number)
          return { ...file, from: kind === 'full' ? 0 : (known?.bytes ?? 0) }
        })
        .filter(({ from, bytes }) => from < bytes)
      const { path, from, bytes } = random.pick(files)
      // The key or value of a record, or what describes them: not the zeros behind it.
      world.disk.flipBit(
        path,
        from === 0 ? random.pick([20, 64, 72]) : random.between(from, bytes - 1),
        random.below(8),
      )
      await assert.rejects(world.backUp(kind), (error: Error) => {
        assert.ok(hasCode(error, 'backup.source_damaged'), error.message)
        assert.ok(error.message.includes(path), error.message)
        return true
      })
      // Of a full one the log may have been archived before, which had no damage.
      const others = (await world.vault.manifests(storeId)).slice(1)
      assert.ok(others.length === 0 || (kind === 'full' && others.every((one) => one.kind === 'archive')))
      assert.deepEqual((await verifyBackups(world.vault, storeId)).faults, [])
      await assertRestores(world, '/restored', { revision: kept.revision }, kept.state, world.targetDisk)
      await Promise.allSettled([world.store.close()])
    }
  })
}

test('a restore fetches nothing more once a piece has failed', async () => {
  const world = new World({ random: new Random(4) })
  await world.open()
  await world.writes(300)
  await world.backUp('full')
  const storeId = await pickStore(world.vault, undefined)
  const names = world.targetDisk.list(`/target/${storeId}/data`)
  assert.ok(names.length > 6)
  let fetched = 0
  const { vault, disk, clock, random } = world
  const read = vault.readPiece.bind(vault)
  vault.readPiece = async (...given) => {
    fetched++
    if (fetched === 1) throw new Error('no answer')
    return read(...given)
  }
  const restoring = restore({ vault, disk, clock, randomUint32: () => random.uint32(), path: '/restored' })
  await assert.rejects(restoring, /no answer/)
  assert.ok(fetched <= 3, `those that were under way, and not ${fetched}`)
  await world.store.close()
})
