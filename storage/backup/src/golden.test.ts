/**
 * The golden backups of format 1, fixtures/backup-v1: a full, an incremental and an archive backup, plain and encrypted. They verify,
 * and every moment of them restores as it was when they were made. `ORBIT_WRITE_GOLDEN=1` writes them, once a version.
 */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Random } from '@orbitkv/base'
import type { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { pickStore, restore } from './restore.ts'
import { verifyBackups } from './verify.ts'
import { assertSameState, stateOf, World } from './world-suite.ts'

const fixture = new URL('../../../fixtures/backup-v1/', import.meta.url)
const states = new URL('states.json', fixture)
const keyHex = '0f'.repeat(32)
const key = Buffer.from(keyHex, 'hex')

interface Golden {
  readonly key: string
  /** For each kind of target the states after each revision. */
  readonly states: Readonly<Record<string, readonly { revision: number; state: Record<string, string> }[]>>
}

for (const [name, options] of [
  ['plain', {}],
  ['encrypted', { key }],
] as const) {
  test(`${name} backups of format 1 restore every state that they have`, async () => {
    const world = new World({ random: new Random(1), ...options })
    load(world.targetDisk, new URL(`${name}/`, fixture), '/target')
    const { vault, disk, clock, random } = world
    const storeId = await pickStore(vault, undefined)
    assert.deepEqual((await verifyBackups(vault, storeId)).faults, [])
    const golden = JSON.parse(readFileSync(states, 'utf8')) as Golden
    for (const { revision, state } of golden.states[name] ?? assert.fail(name)) {
      const path = `/restored-${revision}`
      await restore({ vault, disk, clock, randomUint32: () => random.uint32(), path, moment: { revision } })
      const store = await world.openAt(path)
      assertSameState(stateOf(store), new Map(Object.entries(state)), `revision ${revision}`)
      await store.close()
    }
  })
}

if (process.env.ORBIT_WRITE_GOLDEN === '1') await write()

async function write(): Promise<void> {
  const golden: Record<string, { revision: number; state: object }[]> = {}
  for (const [name, options] of [
    ['plain', {}],
    ['encrypted', { key }],
  ] as const) {
    const world = new World({ random: new Random(2), ...options })
    await world.open()
    await world.writes(4)
    await world.store.compact()
    const from = world.newest.revision
    await world.writes(2)
    await world.backUp('full')
    await world.writes(2)
    await world.backUp('incremental')
    await world.writes(2)
    await world.backUp('archive')
    await world.store.close()
    save(world.targetDisk, '/target', new URL(`${name}/`, fixture))
    golden[name] = world.history
      .filter(({ revision }) => revision >= from)
      .map(({ revision, state }) => ({ revision, state: Object.fromEntries(state) }))
  }
  writeFileSync(states, `${JSON.stringify({ key: keyHex, states: golden })}\n`)
}

function load(disk: SimulatedDisk, from: URL, to: string): void {
  disk.makeDirectory(to)
  for (const name of readdirSync(from)) {
    const url = new URL(name, from)
    if (statSync(url).isDirectory()) load(disk, new URL(`${name}/`, from), `${to}/${name}`)
    else {
      const bytes = readFileSync(url)
      const file = disk.open(`${to}/${name}`, 'create')
      file.write(bytes, 0, bytes.length, 0)
      file.close()
    }
  }
}

function save(disk: SimulatedDisk, from: string, to: URL): void {
  mkdirSync(to, { recursive: true })
  for (const name of disk.list(from)) {
    if (name === 'lock') continue
    if (!name.endsWith('.object')) {
      save(disk, `${from}/${name}`, new URL(`${name}/`, to))
      continue
    }
    const file = disk.open(`${from}/${name}`, 'read')
    const bytes = new Uint8Array(file.size())
    file.read(bytes, 0, bytes.length, 0)
    file.close()
    writeFileSync(new URL(name, to), bytes)
  }
}
