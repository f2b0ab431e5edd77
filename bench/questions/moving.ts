/**
 * How many records a second move in and out? `node tools/run.mjs bench/questions/moving.ts [records]`
 *
 * Imports of the same records from LevelDB, LMDB, a Redis beside it and a CSV file, and exports of them to NDJSON and Parquet, each by the
 * command line as people use it, in this process, into and from a folder with the usual durability. A Redis is copied and then compared, so each of
 * its keys is looked at twice. The median of the rounds counts, which go through all the ways in turns. docs/operating/moving.md has the figures.
 */

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { runInProcess } from '@orbitkv/node/in-process'
import { ClassicLevel } from 'classic-level'
import { open as openLmdb } from 'lmdb'
import { RawClient } from '../../tests/redis/resp.ts'
import { missing, startRealRedis } from '../../tests/redis/servers.ts'
import { formatTable } from '../harness/table.ts'

const records = Number(process.argv[2] ?? 200_000)
const rounds = 3
const valueBytes = 100
const redisBatch = 1000

const folder = mkdtempSync(join(tmpdir(), 'orbit-moving-'))
const keyOf = (record: number): string => `user:${String(record).padStart(8, '0')}`
const valueOf = (record: number): string => String(record).padEnd(valueBytes, 'v')
const entries = new Map(Array.from({ length: records }, (_, record) => [keyOf(record), valueOf(record)]))

async function fillLevel(path: string): Promise<void> {
  const level = new ClassicLevel(path)
  await level.open()
  await level.batch([...entries].map(([key, value]) => ({ type: 'put', key, value })))
  await level.close()
}

async function fillLmdb(path: string): Promise<void> {
  const environment = openLmdb<Buffer, Buffer>({ path, noSubdir: false, keyEncoding: 'binary', encoding: 'binary' })
  await environment.transaction(() => {
    for (const [key, value] of entries) void environment.put(Buffer.from(key), Buffer.from(value))
  })
  await environment.close()
}

async function fillRedis(port: number): Promise<void> {
  const client = await RawClient.connect(port)
  const commands = [...entries].map(([key, value]) => ['SET', key, value])
  for (let start = 0; start < records; start += redisBatch)
    await client.pipeline(commands.slice(start, start + redisBatch))
  client.close()
}

function* csvLines(): Generator<string> {
  yield 'key,value\n'
  for (const [key, value] of entries) yield `${key},${value}\n`
}

/** Seconds that a command took, which must succeed. */
async function seconds(...argv: string[]): Promise<number> {
  const startMs = performance.now()
  const { code, stderr } = await runInProcess(argv, { folder })
  if (code !== 0) throw new Error(`orbit ${argv.join(' ')}: ${stderr}`)
  return (performance.now() - startMs) / 1000
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

const redis = missing('redis-server') === false ? await startRealRedis() : undefined
try {
  await fillLevel(join(folder, 'level'))
  await fillLmdb(join(folder, 'lmdb'))
  await pipeline(Readable.from(csvLines()), createWriteStream(join(folder, 'records.csv')))
  if (redis !== undefined) await fillRedis(redis.port)
  const sources: Record<string, string[]> = {
    LevelDB: ['level'],
    LMDB: ['lmdb'],
    CSV: ['records.csv', '--key', 'key', '--value', 'value'],
    ...(redis === undefined ? {} : { Redis: [`redis://127.0.0.1:${redis.port}`] }),
  }
  const taken = new Map<string, number[]>()
  const note = (way: string, took: number) => taken.set(way, [...(taken.get(way) ?? []), took])
  for (let round = 0; round < rounds; round++) {
    for (const [name, args] of Object.entries(sources)) {
      note(`import from ${name}`, await seconds('import', ...args, '--data', 'store'))
      if (name !== 'LevelDB') rmSync(join(folder, 'store'), { recursive: true })
      else {
        for (const [format, file] of [
          ['NDJSON', 'out.ndjson'],
          ['Parquet', 'out.parquet'],
        ] as const) {
          note(`export to ${format}`, await seconds('export', file, '--data', 'store'))
          rmSync(join(folder, file))
        }
        rmSync(join(folder, 'store'), { recursive: true })
      }
    }
  }
  const rows = [...taken].map(([way, times]) => [
    way,
    Math.round(records / median(times)).toLocaleString('en-US'),
    median(times).toFixed(2),
    times.map((time) => time.toFixed(2)).join(' '),
  ])
  console.log(`${records.toLocaleString('en-US')} records, values of ${valueBytes} bytes, median of ${rounds} rounds`)
  console.log(
    formatTable({ columns: ['way', 'records/s', 'seconds', 'rounds'], numeric: [false, true, true, false], rows }),
  )
} finally {
  await redis?.close()
  rmSync(folder, { recursive: true, force: true })
}
