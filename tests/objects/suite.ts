/** What every object store must do: run on a folder and on a real S3 server. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode, MiB, Random, seedsFor } from '@orbitkv/base'
import type { ObjectStore } from '@orbitkv/objects'

export async function keysOf(objects: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of objects.list(prefix)) keys.push(key)
  return keys
}

/** `open` gives an empty store, whose end is the caller's to arrange. */
export function objectStoreSuite(name: string, open: () => Promise<ObjectStore>): void {
  test(`${name}: what is put is got, whole and in ranges`, async () => {
    const objects = await open()
    const random = new Random(7)
    for (const bytes of [0, 1, 5000, MiB - 1, MiB, MiB + 1, 3 * MiB + 17]) {
      const body = random.bytes(bytes)
      await objects.put('a/body', body)
      assert.ok(Buffer.from(await objects.get('a/body')).equals(body), `${bytes} bytes`)
      assert.deepEqual(await objects.head('a/body'), { key: 'a/body', bytes })
      for (let i = 0; i < 5 && bytes > 0; i++) {
        const start = random.below(bytes)
        const end = start + random.below(2 * MiB)
        const range = await objects.getRange('a/body', start, end)
        assert.ok(Buffer.from(range).equals(body.subarray(start, end)), `${start} to ${end} of ${bytes}`)
      }
    }
  })

  test(`${name}: an object in many parts`, async () => {
    const objects = await open()
    const body = new Random(8).bytes(21 * MiB + 5)
    await objects.put('large', body)
    assert.ok(Buffer.from(await objects.get('large')).equals(body))
    const range = await objects.getRange('large', 8 * MiB - 10, 8 * MiB + 10)
    assert.ok(Buffer.from(range).equals(body.subarray(8 * MiB - 10, 8 * MiB + 10)))
  })

  test(`${name}: creating does not replace, putting does`, async () => {
    const objects = await open()
    await objects.put('one', Buffer.from('first'), { ifAbsent: true })
    await assert.rejects(objects.put('one', Buffer.from('second'), { ifAbsent: true }), (error) =>
      hasCode(error, 'objects.exists'),
    )
    assert.equal(Buffer.from(await objects.get('one')).toString(), 'first')
    await objects.put('one', Buffer.from('third'))
    assert.equal(Buffer.from(await objects.get('one')).toString(), 'third')
  })

  test(`${name}: what is not there is named, and deleting it is no error`, async () => {
    const objects = await open()
    await assert.rejects(objects.get('no/such'), (error: Error) => {
      return hasCode(error, 'objects.not_found') && error.message.includes('no/such')
    })
    await assert.rejects(objects.getRange('no/such', 0, 1), (error) => hasCode(error, 'objects.not_found'))
    assert.equal(await objects.head('no/such'), undefined)
    await objects.delete('no/such')
  })

  test(`${name}: names that not every service takes are refused`, async () => {
    const objects = await open()
    for (const key of ['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'ä', 'a b', '.hidden', 'k'.repeat(513)]) {
      await assert.rejects(objects.put(key, Buffer.from('x')), (error) => hasCode(error, 'objects.bad_key'), key)
    }
  })

  for (const seed of seedsFor('objects', { kept: [], fresh: 1 })) {
    test(`${name}: agrees with a map, seed ${seed}`, async () => {
      const objects = await open()
      const random = new Random(seed)
      const twin = new Map<string, string>()
      const key = (): string => random.pick(['a', 'a/b', 'a/bc', 'ab', 'b/c/d', 'b/c/e', 'b/d'])
      for (let i = 0; i < 60; i++) {
        const at = key()
        const action = random.below(4)
        if (action === 0) {
          await objects.delete(at)
          twin.delete(at)
        } else if (action === 1) {
          const taken = twin.has(at)
          const created = await objects.put(at, Buffer.from(`c${i}`), { ifAbsent: true }).then(
            () => true,
            (error: unknown) => !hasCode(error, 'objects.exists'),
          )
          assert.equal(created, !taken)
          if (created) twin.set(at, `c${i}`)
        } else {
          await objects.put(at, Buffer.from(`v${i}`))
          twin.set(at, `v${i}`)
        }
        const prefix = random.pick(['', 'a', 'a/', 'a/b', 'b/c', 'b/c/', 'zz'])
        const expected = [...twin.keys()].filter((one) => one.startsWith(prefix)).sort()
        assert.deepEqual((await keysOf(objects, prefix)).sort(), expected, `prefix '${prefix}'`)
      }
      for (const [at, value] of twin) assert.equal(Buffer.from(await objects.get(at)).toString(), value)
    })
  }
}
