/** The page of metrics of a whole server process, checked by promtool and scraped by a Prometheus, both of Debian. */

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RawClient } from './resp.ts'
import { freePort, missing, stop } from './servers.ts'

const program = fileURLToPath(new URL('../../apps/node/bin/orbit.js', import.meta.url))
const deadlineMs = 30_000

describe('metrics', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-metrics-'))
  let server: ChildProcess
  let url: string
  let client: RawClient

  before(async () => {
    const args = ['serve', '--data', join(folder, 'data'), '--redis-port', '0', '--metrics-port', '0', '--json']
    server = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    assert.ok(server.stdout !== null)
    for await (const line of createInterface({ input: server.stdout })) {
      const started = JSON.parse(line) as { redis: { port: number }; metrics: string }
      url = started.metrics
      client = await RawClient.connect(started.redis.port)
      break
    }
    for (let i = 0; i < 100; i++) await client.call('SET', `key ${i}`, 'value')
    await client.call('GET', 'key 1')
    await client.call('NOSUCH')
    await client.call('CLIENT', 'ID')
  })

  after(async () => {
    client.close()
    await stop(server)
    rmSync(folder, { recursive: true, force: true })
  })

  test('every name of the documents is there, with what was done', async () => {
    const response = await fetch(url)
    assert.equal(response.status, 200)
    const page = await response.text()
    const value = (sample: string): number => {
      const line = page.split('\n').find((candidate) => candidate.startsWith(`${sample} `))
      assert.ok(line !== undefined, `${sample} is told`)
      return Number(line.slice(sample.length))
    }
    assert.equal(value('orbit_operations_total{command="set"}'), 100)
    assert.equal(value('orbit_operations_total{command="client|id"}'), 1)
    assert.equal(value('orbit_errors_total{error="ERR"}'), 1)
    // Of the turns in a millisecond one is timed, so that the newest may not be told yet.
    const timed = value('orbit_write_duration_seconds_count')
    assert.ok(timed > 0 && timed <= 100, String(timed))
    assert.equal(value('orbit_write_duration_seconds_bucket{le="+Inf"}'), timed)
    assert.ok(value('orbit_write_duration_seconds_sum') > 0)
    assert.ok(value('orbit_command_duration_seconds_count{command="set"}') >= 64)
    assert.ok(value('orbit_memory_usage_bytes') < value('orbit_memory_total_bytes'))
    assert.ok(value('orbit_storage_used_bytes') < value('orbit_storage_total_bytes'))
    assert.equal(value('orbit_durable_lag_batches'), 0)
    assert.ok(value('orbit_event_loop_lag_seconds_bucket{le="+Inf"}') >= 0)
  })

  test('promtool finds nothing to say about them', { skip: missing('promtool') }, async () => {
    const page = await (await fetch(url)).text()
    const said = execFileSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8', stdio: 'pipe' })
    assert.equal(said, '')
  })

  test('a Prometheus scrapes them', { skip: missing('prometheus') }, async () => {
    const port = await freePort()
    const config = join(folder, 'prometheus.yml')
    const target = new URL(url).host
    writeFileSync(
      config,
      `scrape_configs:\n  - job_name: orbit-rs\n    scrape_interval: 200ms\n    scrape_timeout: 200ms\n    static_configs:\n      - targets: ['${target}']\n`,
    )
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'tsdb')}`]
    const prometheus = spawn('prometheus', [...args, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
    try {
      const query = encodeURIComponent('sum(orbit_operations_total{command="set"})')
      const found = await untilFound(`http://127.0.0.1:${port}/api/v1/query?query=${query}`)
      assert.equal(found, '100')
      const quantile = encodeURIComponent('histogram_quantile(0.95, sum(orbit_write_duration_seconds_bucket) by (le))')
      assert.ok(Number(await untilFound(`http://127.0.0.1:${port}/api/v1/query?query=${quantile}`)) > 0)
    } finally {
      await stop(prometheus)
    }
  })
})

interface Answer {
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] }
}

/** Asks until there is a value; a Prometheus tells nobody when it has scraped. */
async function untilFound(query: string): Promise<string> {
  const endMs = performance.now() + deadlineMs
  for (;;) {
    // Not listening yet, or not ready.
    const response = await fetch(query).catch(() => undefined)
    const body: Answer = response?.ok === true ? ((await response.json()) as Answer) : {}
    const value = body.data?.result[0]?.value[1]
    if (value !== undefined) return value
    if (performance.now() > endMs) throw new Error(`Prometheus has no answer to ${query}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
