/** `orbit config` and the configuration's effect on other commands. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { schemas } from '@orbitkv/node'
import { orbit, orbitJson, orbitOk, parseDocument, temporaryFolder } from './orbit.ts'

test('check prints every fault with its origin and the effective values, and exits with 3', async (context) => {
  const folder = temporaryFolder(context)
  writeFileSync(join(folder.path, 'orbit.toml'), '[persistence]\nbackend = "rocksdb"\n[redis]\nprot = 1\n')
  const options = { folder: folder.path, env: { ORBIT_REDIS_PORT: '99999', ORBIT_NODE_ID: 'n1' } }
  const { code, stdout } = await orbit(['config', 'check', '--redis-host', '0.0.0.0'], options)
  assert.equal(code, 3)
  assert.match(
    stdout,
    /^fault {2}orbit\.toml:2: persistence\.backend = "rocksdb": is not in this version, which has mmap and memory$/m,
  )
  assert.match(stdout, /^fault {2}orbit\.toml:4: redis\.prot = 1: unknown key; did you mean redis\.port\?$/m)
  assert.match(stdout, /^fault {2}ORBIT_REDIS_PORT: redis\.port = "99999": must be at most 65535$/m)
  assert.match(stdout, /^fault {2}--redis-host: redis\.host = "0\.0\.0\.0": must be this machine/m)
  assert.match(
    stdout,
    /^note {3}ORBIT_NODE_ID: node\.id: this version does not act upon it; it waits for the cluster$/m,
  )
  assert.match(stdout, /^persistence\.mmap\.data_dir +\.\/data +default$/m)
  assert.match(stdout, /4 faults: orbit\.toml\n$/)
  const json = await orbit(['config', 'check', '--json', '--redis-host', '0.0.0.0'], options)
  assert.equal(json.code, 3)
  const document = parseDocument(json.stdout, schemas.config.fields) as {
    ok: boolean
    faults: unknown[]
    notes: unknown[]
  }
  assert.equal(document.ok, false)
  assert.equal(document.faults.length, 4)
  assert.equal(document.notes.length, 1)
})

test('a command with a faulty configuration says all faults in one line and does nothing', async (context) => {
  const folder = temporaryFolder(context)
  writeFileSync(join(folder.path, 'orbit.toml'), '[redis]\nport = "x"\nhost = "example.org"\n')
  const { code, stderr, stdout } = await orbit(['serve'], { folder: folder.path })
  assert.equal(code, 3)
  assert.equal(stdout, '')
  assert.match(
    stderr,
    /^orbit: orbit\.toml:2: redis\.port = "x": must be a whole number; orbit\.toml:3: redis\.host = [^\n]* \(cli\.config_faults\)\n$/,
  )
})

test('show prints a file that gives the same configuration', async (context) => {
  const folder = temporaryFolder(context)
  const env = {
    ORBIT_DATA_DIR: './elsewhere',
    ORBIT_STORE_SEGMENT_BYTES: '1MiB',
    ORBIT_PERSISTENCE_MMAP_SYNC_MODE: 'async',
  }
  const { stdout } = await orbitOk(['config', 'show'], { folder: folder.path, env })
  writeFileSync(join(folder.path, 'copy.toml'), stdout)
  type Values = { values: { key: string; value: unknown }[] }
  const values = ({ values }: Values) => values.map(({ key, value }) => [key, value])
  const wanted = await orbitJson<Values>(['config', 'check'], schemas.config.fields, { folder: folder.path, env })
  const found = await orbitJson<Values>(['config', 'check', '--config', 'copy.toml'], schemas.config.fields, {
    folder: folder.path,
  })
  assert.deepEqual(values(found), values(wanted))
})

test('a file that is missing or no TOML is one line and exit code 3', async (context) => {
  const folder = temporaryFolder(context)
  const missing = await orbit(['get', 'x', '--config', 'none.toml'], { folder: folder.path })
  assert.equal(missing.code, 3)
  assert.match(
    missing.stderr,
    /^orbit: the configuration file none\.toml cannot be read \(ENOENT\); [^\n]*\(cli\.no_config_file\)\n$/,
  )
  writeFileSync(join(folder.path, 'orbit.toml'), '[redis\n')
  const broken = await orbit(['config', 'check'], { folder: folder.path })
  assert.equal(broken.code, 3)
  assert.match(broken.stderr, /^orbit: orbit\.toml:1:\d+ is not TOML: [^\n]*\(cli\.config_syntax\)\n$/)
})
