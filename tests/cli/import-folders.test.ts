/**
 * Import from LevelDB as processes: killed and interrupted ones go on behind their last key, through a server too,
 * and a package that is missing is told. What else there is to test needs no process: apps/node/src/transfer.
 */

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Random } from '@orbitkv/base'
import { schemas } from '@orbitkv/node'
import { ClassicLevel } from 'classic-level'
import { open } from 'orbitkv'
import { afterChanges, orbit, orbitJson, orbitOk, Run, startServer, temporaryFolder } from './orbit.ts'

interface Summary {
  readonly resumed_at: number
  readonly stored: number
}

const seed = Number(process.env.ORBIT_SEED ?? 1)
const recordsTotal = 40_000
const keyOf = (record: number) => `key ${String(record).padStart(6, '0')}`
const valueOf = (record: number) => `value ${record}`.repeat(10)
const records = Array.from({ length: recordsTotal }, (_, record) => record)

async function fillLevel(path: string): Promise<void> {
  const level = new ClassicLevel(path)
  await level.open()
  await level.batch(records.map((record) => ({ type: 'put', key: keyOf(record), value: valueOf(record) })))
  await level.close()
}

async function assertImported(path: string): Promise<void> {
  const store = await open(path, { createIfMissing: false })
  let next = 0
  for (const { key, value } of store.range()) {
    assert.equal(Buffer.from(key).toString(), keyOf(next))
    assert.equal(Buffer.from(value).toString(), valueOf(next))
    next++
  }
  await store.close()
  assert.equal(next, recordsTotal)
}

/** Interrupts an import into `store` once it has stored something. */
async function interrupt(source: string, folder: string): Promise<void> {
  // The folder changes a few times before the first record is there, and it may be read to its end before it is told.
  for (let changes = 4; changes < 24; changes += 4) {
    const run = new Run(['import', source, '--data', 'store'], { folder })
    await afterChanges(join(folder, 'store', 'log-00'), changes, run.finished)
    run.child.kill('SIGINT')
    const { code, stderr } = await run.finished
    assert.equal(code, 130, stderr)
    const told = new RegExp(`([\\d,]+) records of ${source} in the store, the same command continues it`).exec(stderr)
    if (told?.[1] !== '0') return
  }
  assert.fail('it never had stored anything')
}

// From LMDB it goes on in the same way, which apps/node/src/transfer tests without processes.
test(`an import that is killed goes on behind its last key, seed ${seed}`, async (context) => {
  const folder = temporaryFolder(context).path
  await fillLevel(join(folder, 'level'))
  await (await open(join(folder, 'store'))).close()
  const random = new Random(seed)
  const run = new Run(['import', 'level', '--data', 'store'], { folder })
  await afterChanges(join(folder, 'store', 'log-00'), random.between(3, 12), run.finished)
  run.child.kill('SIGKILL')
  await run.finished
  await interrupt('level', folder)
  const summary = await orbitJson<Summary>(['import', 'level', '--data', 'store'], schemas.import.fields, { folder })
  assert.ok(summary.resumed_at > 0, 'it began at the first record again')
  assert.equal(summary.stored, recordsTotal)
  await assertImported(join(folder, 'store'))
})

test('into a running server', async (context) => {
  const folder = temporaryFolder(context).path
  await fillLevel(join(folder, 'level'))
  const server = await startServer(['--data', 'served'], { folder })
  context.after(() => server.run.child.kill('SIGKILL'))
  await orbitOk(['import', 'level', '--url', server.url], { folder })
  assert.equal((await server.stop()).code, 0)
  await assertImported(join(folder, 'served'))
})

test('a package that is not installed is told with the command that installs it', async (context) => {
  const folder = temporaryFolder(context).path
  const hooks = join(folder, 'without.mjs')
  writeFileSync(
    hooks,
    `import { registerHooks } from 'node:module'
registerHooks({
  resolve(name, context, next) {
    if (!['lmdb', 'classic-level', 'hyparquet-writer'].includes(name)) return next(name, context)
    throw Object.assign(new Error(\`Cannot find package '\${name}'\`), { code: 'ERR_MODULE_NOT_FOUND' })
  },
})
`,
  )
  mkdirSync(join(folder, 'level'))
  writeFileSync(join(folder, 'level', 'CURRENT'), '')
  const nodeFlags = ['--conditions=orbit-source', '--disable-warning=ExperimentalWarning', '--import', hooks]
  for (const [args, message] of [
    [
      ['import', 'level'],
      /importing from LevelDB needs the package classic-level; install it: npm install classic-level/,
    ],
    [
      ['import', 'level', '--format', 'lmdb'],
      /importing from LMDB needs the package lmdb; install it: npm install lmdb/,
    ],
  ] as const) {
    const { code, stderr } = await orbit([...args, '--data', 'store'], { folder, nodeFlags })
    assert.equal(code, 2, stderr)
    assert.match(stderr, message)
  }
})
