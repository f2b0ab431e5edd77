/** The configuration: which origin wins, every fault at once with its origin, nothing dropped silently. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { GiB, OrbitError } from '@orbitkv/base'
import { findCommand, parseArguments } from '../args/parse.ts'
import { commands } from '../commands/catalogue.ts'
import { configKeys, envOfKey, storeSettings } from './keys.ts'
import { faultLine, loadConfig } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'orbit-config-'))
after(() => rmSync(folder, { recursive: true }))

function load(toml: string | undefined, env: Record<string, string> = {}, flags: string[] = []) {
  if (toml === undefined) rmSync(join(folder, 'orbit.toml'), { force: true })
  else writeFileSync(join(folder, 'orbit.toml'), toml)
  return loadConfig({ env, folder, args: parseArguments(findCommand(commands, 'serve'), flags, env) })
}

const faults = (...input: Parameters<typeof load>) => load(...input).faults.map(faultLine)
const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof OrbitError)
    return `${error.code} ${error.message}`
  }
  return 'no error'
}

test('defaults hold where nothing is said', () => {
  const config = load(undefined)
  assert.deepEqual(config.faults, [])
  assert.equal(config.file, undefined)
  assert.equal(config.text('persistence.mmap.data_dir'), './data')
  assert.equal(config.number('redis.port'), 7379)
  assert.equal(config.text('persistence.mmap.sync_mode'), 'always')
  assert.equal(config.effective('redis.port').origin.label, 'default')
})

test('the file, then variables, then flags: the later wins, and each value knows its origin', () => {
  const toml = '[redis]\nport = 1\n\n[persistence.mmap]\ndata_dir = "file"\nsync_mode = "async"\n'
  const config = load(toml, { ORBIT_REDIS_PORT: '2', ORBIT_DATA_DIR: 'variable' }, ['--redis-port', '3'])
  assert.equal(config.number('redis.port'), 3)
  assert.equal(config.effective('redis.port').origin.label, '--redis-port')
  assert.equal(config.text('persistence.mmap.data_dir'), 'variable')
  assert.equal(config.effective('persistence.mmap.data_dir').origin.label, 'ORBIT_DATA_DIR')
  assert.equal(config.text('persistence.mmap.sync_mode'), 'interval')
  assert.equal(config.effective('persistence.mmap.sync_mode').origin.label, 'orbit.toml:6')
})

test('an empty variable says nothing', () => {
  assert.equal(load(undefined, { ORBIT_DATA_DIR: '' }).text('persistence.mmap.data_dir'), './data')
})

test('every fault is reported at once, with its origin', () => {
  const found = faults(
    '[persistence]\nbackend = "lsm_tree"\n[redis]\nport = 70000\nhots = "x"\n',
    { ORBIT_LOG_FORMAT: 'xml' },
    ['--redis-host', ''],
  )
  assert.equal(found.length, 5)
  assert.match(
    found[0] as string,
    /^orbit\.toml:2: persistence\.backend = "lsm_tree": is not in this version, which has mmap and memory/,
  )
  assert.match(found[1] as string, /^orbit\.toml:4: redis\.port = 70000: must be at most 65535/)
  assert.match(found[2] as string, /^orbit\.toml:5: redis\.hots = "x": unknown key; did you mean redis\.host\?/)
  assert.match(found[3] as string, /^ORBIT_LOG_FORMAT: log\.format = "xml": must be one of human, json/)
  assert.match(found[4] as string, /^--redis-host: redis\.host = "": must name an address/)
})

test('who may connect from elsewhere has a password; TLS has its files', () => {
  assert.match(faults('[redis]\nhost = "0.0.0.0"\n')[0] as string, /redis\.host = "0\.0\.0\.0": must be this machine/)
  assert.deepEqual(faults('[redis]\nhost = "0.0.0.0"\nrequirepass = "secret"\n'), [])
  assert.deepEqual(faults('[redis]\nhost = "::1"\n'), [])
  const found = faults('[redis]\ntls_port = 7380\n')
  assert.deepEqual(
    found.map((fault) => /redis\.\w+/.exec(fault)?.[0]),
    ['redis.tls_cert_file', 'redis.tls_key_file', 'redis.tls_ca_cert_file'],
  )
  assert.match(
    faults('[redis]\nrequirepass = 12345\n')[0] as string,
    /^orbit\.toml:2: redis\.requirepass: must be text/,
  )
})

test('unknown keys and sections suggest the nearest, also where the section is wrong', () => {
  assert.match(
    faults('backend = "mmap"\n')[0] as string,
    /orbit\.toml:1: backend = "mmap": unknown key; did you mean persistence\.backend\?/,
  )
  assert.match(
    faults('[persistance]\nbackend = "mmap"\n')[0] as string,
    /persistance: unknown section; did you mean persistence\?/,
  )
  assert.match(
    faults('[weather]\nx = 1\n')[0] as string,
    /orbit\.toml:1: weather: unknown section; `orbit config show` lists all keys/,
  )
  // The words that two keys of a section share say nothing.
  const [size, none] = faults('[persistence.mmap]\nsegment_size = 1\nweather = 1\n')
  assert.match(size as string, /segment_size = 1: unknown key; did you mean store\.segment_bytes\?/)
  assert.match(none as string, /weather = 1: unknown key; `orbit config show` lists all keys/)
  assert.match(faults('redis = 5\n')[0] as string, /redis = 5: unknown key/)
  assert.match(
    faults('[persistence.backend]\nx = 1\n')[0] as string,
    /persistence\.backend = .*must be one of mmap, memory/,
  )
})

test('unknown variables are faults, those of Kubernetes services are not', () => {
  assert.match(
    faults(undefined, { ORBIT_PERSISTANCE_BACKEND: 'mmap' })[0] as string,
    /did you mean ORBIT_PERSISTENCE_BACKEND\?/,
  )
  assert.match(
    faults(undefined, { ORBIT_FOO: '1' })[0] as string,
    /ORBIT_FOO = "1": unknown variable; `orbit config show`/,
  )
  assert.deepEqual(
    faults(undefined, {
      ORBIT_RS_SERVICE_HOST: '10.0.0.1',
      ORBIT_PORT: 'tcp://10.0.0.1:80',
      ORBIT_PORT_8080_TCP_PROTO: 'tcp',
      ORBIT_SEED: '1',
      ORBIT_DEBUG: '1',
    }),
    [],
  )
})

test('two variables for one key must agree', () => {
  const both = { ORBIT_DATA_DIR: 'a', ORBIT_PERSISTENCE_MMAP_DATA_DIR: 'b' }
  assert.match(faults(undefined, both)[0] as string, /ORBIT_PERSISTENCE_MMAP_DATA_DIR says "b"; keep one of the two/)
  assert.deepEqual(faults(undefined, { ...both, ORBIT_DATA_DIR: 'b' }), [])
})

test('settings that do not go together are faults with their origin', () => {
  const found = faults('[store]\nsegment_bytes = "64KiB"\nzero_ahead_bytes = "1MiB"\n')
  assert.equal(found.length, 1)
  assert.match(found[0] as string, /^orbit\.toml:3: store\.zero_ahead_bytes = 1048576: .*at most segmentBytes/)
})

test('the documents’ example is accepted, with a note for each key that does nothing yet', () => {
  const config = load(
    `
[persistence.mmap]
type = "memory_mapped"
data_dir = "/nvme/orbit/mmap"
file_size_gb = 1000
enable_large_pages = true
prefault_pages = false
sync_mode = "async"
advise_random = true
max_mapped_size_gb = 2000
[persistence.lsm_tree]
type = "lsm_tree"
memtable_size_mb = 256
compaction_strategy = { type = "Leveled", size_ratio = 10.0 }
compression = "Lz4"
[persistence.rocksdb]
block_cache_size = 536870912
[persistence.s3]
endpoint = "https://s3.example"
connection_timeout = 30
[data_tiering]
hot_data_threshold_hours = 24
cold_storage_backend = "s3"
[monitoring]
metrics_endpoint = "0.0.0.0:9090"
export_interval = "30s"
[monitoring.alerts]
write_latency_p95_threshold = "100ms"
error_rate_threshold = "0.1%"
[cluster]
peers = ["a:8080", "b:8080"]
`,
    { ORBIT_NODE_ID: 'node-1', ORBIT_CLUSTER_SIZE: '3' },
  )
  assert.deepEqual(config.faults, [])
  const noted = config.notes.map(({ key }) => key)
  for (const key of ['persistence.lsm_tree.compaction_strategy', 'node.id', 'cluster.size', 'cluster.peers']) {
    assert.ok(noted.includes(key), key)
  }
  assert.ok(!noted.some((key) => key.startsWith('persistence.mmap.')))
  assert.equal(config.number('persistence.s3.connection_timeout'), 30_000)
  assert.equal(config.text('cluster.peers'), 'a:8080,b:8080')
})

test('the keys of [persistence.mmap] reach the store by its own names', () => {
  const config = load(`[persistence.mmap]
file_size_gb = 3
enable_large_pages = false
prefault_pages = true
advise_random = false
[store]
index_bytes_max = "2GiB"
resident_bytes_max = "8GiB"
numa_node = 0
`)
  assert.deepEqual(config.faults, [])
  const settings = storeSettings((path) => config.get(path))
  const { storedBytesMax, hugePages, prefault, adviseRandom, indexBytesMax, residentBytesMax, numaNode } = settings
  assert.equal(storedBytesMax, 3 * GiB)
  assert.deepEqual([hugePages, prefault, adviseRandom], [false, true, false])
  assert.deepEqual([indexBytesMax, residentBytesMax, numaNode], [2 * GiB, 8 * GiB, 0])
})

test('less mapped than stored is refused, with the keys that bound memory', () => {
  const [fault, none] = faults('[persistence.mmap]\nfile_size_gb = 1000\nmax_mapped_size_gb = 64\n')
  assert.match(fault as string, /^orbit\.toml:3: persistence\.mmap\.max_mapped_size_gb = 64: must be at least .*1000/)
  assert.match(fault as string, /store\.resident_bytes_max and store\.index_bytes_max/)
  assert.equal(none, undefined)
})

test('later keys are checked too', () => {
  const found = faults(
    '[cluster]\npeers = "nonsense"\n[monitoring.alerts]\nerror_rate_threshold = "200%"\n[persistence.lsm_tree]\ncompaction_strategy = { type = "Other" }\n',
  )
  assert.equal(found.length, 3)
})

test('a file that is named must be there, and be TOML', () => {
  assert.match(
    codeOf(() => load(undefined, {}, ['--config', 'nowhere.toml'])),
    /^cli\.no_config_file .*nowhere\.toml cannot be read \(ENOENT\)/,
  )
  assert.match(
    codeOf(() => load(undefined, { ORBIT_CONFIG: 'nowhere.toml' })),
    /^cli\.no_config_file/,
  )
  assert.match(
    codeOf(() => load('[redis]\nport = = 1\n')),
    /^cli\.config_syntax orbit\.toml:2:\d+ is not TOML: [^\n]+; correct that line$/,
  )
})

test('every key has its own variable, and help names one that works', () => {
  const names = configKeys.flatMap((key) => [key.env, ...key.aliases])
  assert.equal(new Set(names).size, names.length)
  for (const key of configKeys) assert.ok(names.includes(envOfKey(key.path) as string))
})
