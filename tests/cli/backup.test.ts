/** `orbit backup` and `orbit restore` on folders and on S3, and the backups that a server makes by itself. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { schemas } from '@orbitkv/node'
import { startS3 } from '../objects/servers.ts'
import { orbit, orbitJson, orbitOk, root, startServer, temporaryFolder } from './orbit.ts'

interface Made {
  readonly store: string
  readonly backup: number
  readonly kind: string
  readonly revision: number
  readonly bytesCopied: number
}

async function steps(target: string, folder: string, env: Record<string, string>): Promise<void> {
  const options = { folder, env }
  const at = ['--data', 'store']
  const to = ['--to', target]
  const from = ['--from', target]
  await orbitOk(['put', 'user:1', 'Ada', ...at], options)
  assert.match((await orbitOk(['backup', ...at, ...to], options)).stdout, /^backed up: store to .*, full backup 1 \(/)
  await orbitOk(['put', 'user:1', 'Grace', ...at], options)
  await orbitOk(['put', 'user:2', 'Edsger', ...at], options)
  const made = await orbitJson<Made>(['backup', ...at, ...to], schemas.backup.fields, options)
  assert.deepEqual([made.kind, made.backup], ['incremental', 10_000])
  const full = await orbitJson<Made>(['backup', 'now', '--full', ...at, ...to], schemas.backup.fields, options)
  assert.equal(full.kind, 'full')
  assert.ok(full.bytesCopied > made.bytesCopied)

  const { backups } = await orbitJson<{ backups: Made[] }>(
    ['backup', 'list', ...to],
    schemas.backupList.fields,
    options,
  )
  assert.deepEqual(
    backups.map(({ kind }) => kind),
    ['full', 'incremental', 'full'],
  )
  const listed = (await orbitOk(['backup', 'list', ...to], options)).stdout
  assert.match(listed, new RegExp(`^store ${made.store}, 3 backups\\n.*kind.*\\n +1 +full .*\\n10000 +incremental `))
  assert.match((await orbitOk(['backup', 'verify', ...to], options)).stdout, /^sound: .*, 3 backups, \d+ objects, /)
  const checked = await orbitJson<{ ok: boolean }>(['backup', 'verify', ...to], schemas.backupVerify.fields, options)
  assert.equal(checked.ok, true)
  await orbitJson(['backup', 'prune', ...to], schemas.backupPrune.fields, options)
  assert.match(
    (await orbitOk(['backup', 'prune', ...to], options)).stdout,
    /^removed 0 backups and 0 objects; 3 backups kept/,
  )

  const latest = await orbitJson<{ revision: number; revisionNext: number; keys: number }>(
    ['restore', ...from, '--data', 'latest'],
    schemas.restore.fields,
    options,
  )
  assert.deepEqual([latest.revision, latest.keys], [full.revision, 2])
  assert.ok(latest.revisionNext > 1_000_000_000)
  assert.equal((await orbitOk(['get', 'user:1', '--data', 'latest'], options)).stdout, 'Grace')
  const first = ['restore', ...from, '--at', '1', '--data', 'first']
  assert.match((await orbitOk(first, options)).stdout, /^restored: first from .*, revision 1 of .*, 1 key, /)
  assert.equal((await orbitOk(['get', 'user:1', '--data', 'first'], options)).stdout, 'Ada')
  const soon = new Date(Date.now() + 60_000).toISOString()
  await orbitOk(['restore', ...from, '--at', soon, '--data', 'soon'], options)
  assert.equal((await orbitOk(['get', 'user:2', '--data', 'soon'], options)).stdout, 'Edsger')

  const again = await orbit(first, options)
  assert.equal(again.code, 4)
  assert.match(again.stderr, /first holds a store; restore to a new or an empty folder \(backup\.not_empty\)/)
  const beyond = await orbit(['restore', ...from, '--at', '999', '--data', 'none'], options)
  assert.match(
    beyond.stderr,
    /revision 999 cannot be restored from .*, which has revisions 0 to 3 .*\(backup\.not_covered\)/,
  )
  // The restored store is another one: it may have its backups there, too.
  await orbitOk(['backup', '--data', 'latest', ...to], options)
  const several = await orbit(['restore', ...from, '--data', 'none'], options)
  assert.match(several.stderr, /backup\.which_store/)
  await orbitOk(['restore', ...from, '--store', made.store, '--data', 'named'], options)
}

test('backup and restore on a folder', async (context) => {
  await steps('backups', temporaryFolder(context).path, {})
})

test('the example of docs/operating/backup.md', async (context) => {
  const folder = temporaryFolder(context)
  const page = readFileSync(join(root, 'docs', 'operating', 'backup.md'), 'utf8')
  const [, example = ''] = /```sh\n([^`]+)```/.exec(page) ?? []
  const lines = example.trimEnd().split('\n')
  assert.ok(lines.length > 5)
  for (const line of lines) {
    const [command = '', comment = ''] = line.split(/ +# /)
    const { stdout } = await orbitOk(command.split(' ').slice(1), { folder: folder.path })
    if (command.startsWith('orbit get')) assert.equal(stdout, comment)
  }
})

test('backup and restore on S3, encrypted', async (context) => {
  const server = await startS3()
  context.after(() => server.close())
  const env = {
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    ORBIT_BACKUP_KEY: Buffer.alloc(32, 5).toString('base64'),
  }
  await steps(`s3://bucket/some/prefix?endpoint=${server.endpoint}`, temporaryFolder(context).path, env)
})

test('what is damaged or missing is named, and the exit code says so', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  await orbitOk(['put', 'a', '1'.repeat(500)], options)
  const { store } = await orbitJson<Made>(['backup', '--to', 'backups'], schemas.backup.fields, options)
  const data = join(folder.path, 'backups', store, 'data')
  const [name = ''] = readdirSync(data)
  const bytes = readFileSync(join(data, name))
  bytes[300] = (bytes[300] as number) ^ 1
  writeFileSync(join(data, name), bytes)
  const damaged = await orbit(['backup', 'verify', '--to', 'backups'], options)
  assert.equal(damaged.code, 5)
  assert.match(
    damaged.stdout,
    new RegExp(`${name.replace('.object', '')} \\(of 0000000001\\.log\\): .*is damaged at byte 0`),
  )
  assert.match(damaged.stderr, /cli\.backup_damaged/)
  const restored = await orbit(['restore', '--from', 'backups', '--data', 'new'], options)
  assert.equal(restored.code, 5)
  rmSync(join(data, name))
  const missing = await orbit(['backup', 'verify', '--to', 'backups', '--json'], options)
  assert.equal(missing.code, 5)
  assert.match(missing.stdout, /"ok":false.*there is no object/)
  const half = await orbit(['get', 'a', '--data', 'new'], options)
  assert.match(half.stderr, /new holds restore\.unfinished and no store/)
})

test('wrong use is named', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['backup'], 2, /name it with --to TARGET.*cli\.no_backup_target/],
    [['restore', '--data', 'x'], 2, /name it with --from TARGET/],
    [['restore', '--from', 'b', '--at', 'yesterday'], 2, /--at yesterday is no moment/],
    [['restore', '--from', 'b', '--at', '2026-11-21T12:00:00'], 2, /cli\.bad_moment/],
    [['restore', '--from', 'b'], 4, /there is no backup in the folder b \(backup\.none\)/],
    [['backup', '--to', 'b'], 4, /cli\.no_store/],
    [['backup', 'list', '--to', 'ftp://x/y'], 4, /only folders and s3:\/\/ are known \(objects\.bad_target\)/],
    [['backup', 'list', '--to', 's3://B/y'], 4, /'B' is no name of a bucket/],
    [['backup', 'undo', '--to', 'b'], 2, /undo/],
  ]
  for (const [args, code, message] of cases) {
    const finished = await orbit(args, options)
    assert.match(finished.stderr, message)
    assert.equal(finished.code, code, finished.stderr)
  }
  writeFileSync(join(folder.path, 'key'), 'too short')
  await orbitOk(['put', 'a', '1'], options)
  const bad = await orbit(['backup', '--to', 'b', '--key-file', 'key'], options)
  assert.equal(bad.code, 3)
  assert.match(bad.stderr, /backup\.bad_key/)
  const gone = await orbit(['backup', '--to', 'b', '--key-file', 'nowhere'], options)
  assert.match(gone.stderr, /nowhere.*ENOENT/)
})

test('a server backs its store up while it runs', async (context) => {
  const folder = temporaryFolder(context)
  const options = { folder: folder.path }
  const backups = join(folder.path, 'backups')
  writeFileSync(
    join(folder.path, 'orbit.toml'),
    `[backup]\ntarget = "${backups}"\narchive_every = "1s"\n\n[log]\nformat = "json"\n`,
  )
  // With it the copies of every second are told, too.
  const server = await startServer(['--data', 'store'], { ...options, env: { ORBIT_DEBUG: '1' } })
  try {
    await server.run.says(/"message":"backed up","kind":"full","backup":1/, 'stderr')
    await orbitOk(['put', 'a', '1', '--url', server.url], options)
    await server.run.says(/"message":"backed up","kind":"archive","backup":2,"revision":1/, 'stderr')
  } finally {
    assert.equal((await server.stop()).code, 0)
  }
  await orbitOk(['restore', '--from', backups, '--data', 'new'], options)
  assert.equal((await orbitOk(['get', 'a', '--data', 'new'], options)).stdout, '1')
})
