/** Objects in a folder when the power goes, the disk is full, bits flip, or another process creates at the same time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode, MiB, Random, seedsFor } from '@orbitkv/base'
import { type CrashMode, SimulatedClock, SimulatedDisk } from '@orbitkv/runtime/simulated'
import { FolderObjects } from './folder.ts'

const modes: readonly CrashMode[] = ['random', 'prefix', 'drop-all', 'keep-all']

/** Pauses end at once: nothing here is about how long they take. */
class ImpatientClock extends SimulatedClock {
  override sleep(): Promise<void> {
    return this.turn()
  }
}

function openOn(disk: SimulatedDisk, random: Random): FolderObjects {
  return new FolderObjects('/objects', { disk, clock: new ImpatientClock(), randomUint32: () => random.uint32() })
}

for (const seed of seedsFor('folder objects', { kept: [], fresh: 2 })) {
  test(`whatever a power cut hits is there whole or not at all, and what was acknowledged is there, seed ${seed}`, async () => {
    const random = new Random(seed)
    for (let run = 0; run < 100; run++) {
      let left = random.below(60)
      const disk = new SimulatedDisk({
        seed: random.uint32(),
        schedule: (end) => {
          if (left-- > 0) queueMicrotask(end)
        },
      })
      const objects = openOn(disk, random)
      const possible = new Map<string, (string | undefined)[]>()
      const write = async (): Promise<void> => {
        for (let i = 0; i < 20; i++) {
          const key = random.pick(['a', 'b/c', 'b/d'])
          const value = random.chance(5) ? undefined : `${i}`.repeat(random.between(1, 3000))
          possible.set(key, [...(possible.get(key) ?? [undefined]), value])
          await (value === undefined ? objects.delete(key) : objects.put(key, Buffer.from(value)))
          possible.set(key, [value])
        }
      }
      const writing = write()
      // Long enough for all of it: where an operation was not let end, the writer waits for ever.
      for (let i = 0; i < 400; i++) await new Promise((resolve) => void setImmediate(resolve))
      disk.crash({ mode: random.pick(modes) })
      await Promise.race([writing.catch(() => undefined), Promise.resolve()])
      left = Number.POSITIVE_INFINITY
      const again = openOn(disk, random)
      for (const [key, values] of possible) {
        const found = await again.get(key).then(
          (bytes) => Buffer.from(bytes).toString(),
          (error: unknown) => {
            assert.ok(hasCode(error, 'objects.not_found'), String(error))
            return undefined
          },
        )
        assert.ok(values.includes(found), `run ${run}: ${key} is ${found?.slice(0, 20)}`)
      }
      for (const folder of ['', 'b/']) {
        await again.sweep(folder)
        const path = `/objects/${folder}`.slice(0, -1)
        if (disk.exists(path)) assert.ok(!disk.list(path).some((name) => name.endsWith('.new')))
      }
      await again.put('a', Buffer.from('after'))
      assert.equal(Buffer.from(await again.get('a')).toString(), 'after')
    }
  })
}

test('canary: on a disk whose sync lies, what was acknowledged is lost', async () => {
  const disk = new SimulatedDisk()
  disk.syncLies = true
  const objects = openOn(disk, new Random(9))
  await objects.put('one', Buffer.from('x'))
  disk.crash({ mode: 'drop-all' })
  await assert.rejects(openOn(disk, new Random(9)).get('one'), (error) => hasCode(error, 'objects.corrupt'))
})

test('a full disk: the object that does not fit is refused by name, the others stay, and nothing is left of it', async () => {
  const disk = new SimulatedDisk({ capacityBytes: 3 * MiB })
  const objects = openOn(disk, new Random(1))
  await objects.put('small', new Uint8Array(1 * MiB))
  await assert.rejects(objects.put('large', new Uint8Array(4 * MiB)), (error) => hasCode(error, 'disk.full'))
  assert.equal(await objects.head('large'), undefined)
  assert.equal((await objects.get('small')).length, 1 * MiB)
  assert.deepEqual(disk.list('/objects'), ['small.object'])
  await objects.put('medium', new Uint8Array(1 * MiB))
})

test('any flipped bit of the file is found', async () => {
  const random = new Random(2)
  const disk = new SimulatedDisk()
  const objects = openOn(disk, random)
  const body = random.bytes(200)
  const fileBytes = 200 + 4 + 24
  for (let bit = 0; bit < 8 * fileBytes; bit++) {
    await objects.put('one', body)
    disk.flipBit('/objects/one.object', bit >> 3, bit & 7)
    await assert.rejects(objects.get('one'), (error) => hasCode(error, 'objects.corrupt'), `bit ${bit}`)
  }
})

test('the worked example of docs/formats/backup-v1.md', async () => {
  const disk = new SimulatedDisk()
  await openOn(disk, new Random(1)).put('greeting', Buffer.from('hello'))
  const file = disk.open('/objects/greeting.object', 'read')
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0, bytes.length, 0)
  const example = '68656c6c6f 4cbb719a 4f524249544f424a 0500000000000000 01000000 06584303'
  assert.equal(bytes.toString('hex'), example.replaceAll(' ', ''))
})

test('a file that was cut short is found', async () => {
  const disk = new SimulatedDisk()
  const objects = openOn(disk, new Random(3))
  for (const left of [0, 10, 100, 203, 227]) {
    await objects.put('one', new Uint8Array(200))
    disk.cut('/objects/one.object', left)
    await assert.rejects(objects.get('one'), (error) => hasCode(error, 'objects.corrupt'))
  }
})

test('of two that create one object, one wins', async () => {
  const disk = new SimulatedDisk()
  const one = openOn(disk, new Random(4))
  const other = openOn(disk, new Random(5))
  await one.put('first', Buffer.from('x'))
  const ended = await Promise.allSettled([
    one.put('same', Buffer.from('one'), { ifAbsent: true }),
    other.put('same', Buffer.from('other'), { ifAbsent: true }),
  ])
  const refused = ended.filter(({ status }) => status === 'rejected')
  assert.equal(refused.length, 1)
  const { reason } = refused[0] as PromiseRejectedResult
  assert.ok(hasCode(reason, 'objects.exists'), String(reason))
})

test('files of others in the folder are no objects', async () => {
  const disk = new SimulatedDisk()
  const objects = openOn(disk, new Random(6))
  await objects.put('a/b', Buffer.from('x'))
  for (const name of ['/objects/readme', '/objects/a/notes.txt', '/objects/a/c.object.new'])
    disk.open(name, 'create').close()
  const keys: string[] = []
  for await (const key of objects.list('')) keys.push(key)
  assert.deepEqual(keys, ['a/b'])
})
