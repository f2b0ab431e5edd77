/**
 * Runs the Tcl suite of Redis 7.0 against this server: `npm run test:tcl -- FOLDER [FLAGS] [unit/type/hash …]`
 *
 * FOLDER is a checkout of redis at a tag 7.0.x, somewhere outside this repository; the suite is run as it is there and is no
 * part of ours. `tclsh` must be installed (Debian: `apt-get install tcl`). Each unit gets a server of its own, in memory.
 *
 *   --keep         writes the results into serve/redis/src/suite-results.ts, for docs/redis-compatibility.md; reasons are to be
 *                  filled in by hand
 *   --read         reads what an earlier run has put into --log, and runs nothing
 *   --json FILE    writes the results there
 *   --log FOLDER   keeps what the suite says, a file for each unit
 *   --reference    runs against redis-server instead, and tells how many tests each unit has
 *
 * Ends with 1 if a test fails that is not among the kept failures, or fewer pass than did.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type SuiteUnit, suiteResults } from '@orbitkv/redis/suite'
import { freePort, startOurs, startRealRedis } from '../redis/servers.ts'
import { differences, keep, readOutput, type UnitResult } from './results.ts'
import { bothHalves, evalHalf, scriptingUnit, testCounts } from './units.ts'

const keptPath = fileURLToPath(new URL('../../serve/redis/src/suite-results.ts', import.meta.url))
const formatter = fileURLToPath(new URL('../../node_modules/.bin/biome', import.meta.url))
const keptHeader = `/**
 * How Redis's own suite fares against this server: written by \`npm run test:tcl -- FOLDER --keep\`, all but the reasons. Nothing else imports
 * it than the page about compatibility.
 */

import type { SuiteResults } from './suite.ts'

export type { SuiteResults, SuiteUnit } from './suite.ts'

`
/** A unit that hangs is given up after this; the slowest take half of it. */
const unitTimeoutMs = 10 * 60_000
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: 'boolean', default: false },
    reference: { type: 'boolean', default: false },
    read: { type: 'boolean', default: false },
    json: { type: 'string' },
    log: { type: 'string' },
  },
})

const [folder, ...named] = positionals
if (folder === undefined || !existsSync(join(folder, 'tests', 'test_helper.tcl'))) {
  console.error('name the folder of a checkout of redis 7.0: npm run test:tcl -- FOLDER [unit/type/hash …]')
  process.exit(2)
}
const kept = suiteResults
const results = new Map<string, UnitResult>()
const told: string[] = []
for (const unit of named.length > 0 ? named : Object.keys(testCounts)) {
  const result = await runUnit(folder, unit)
  results.set(unit, result)
  const { passed, tests, failed } = result
  console.log(`${unit}: ${passed} of ${tests} passed, ${failed.length} failed`)
  if (!values.reference) told.push(...differences(unit, result, kept[unit]))
}

if (values.reference) {
  for (const [unit, { passed, failed }] of results) console.log(`  '${unit}': ${passed + failed.length},`)
} else {
  finish()
}

function finish(): void {
  for (const line of told) console.log(line)
  const all = [...results.values()]
  const tests = sum(all.map((result) => result.tests))
  const passed = sum(all.map((result) => result.passed))
  console.log(`${passed} of ${tests} tests pass (${((100 * passed) / tests).toFixed(1)} %)`)
  if (values.json !== undefined) writeFileSync(values.json, json(Object.fromEntries(results)))
  if (!values.keep) {
    process.exitCode = told.length > 0 ? 1 : 0
    return
  }
  const anew: Record<string, SuiteUnit> = { ...kept }
  for (const [unit, result] of results) anew[unit] = keep(result, kept[unit])
  writeFileSync(keptPath, `${keptHeader}export const suiteResults: SuiteResults = ${json(anew)}`)
  execFileSync(formatter, ['format', '--write', keptPath])
}

async function runUnit(path: string, unit: string): Promise<UnitResult> {
  const tests = testCounts[unit] ?? 0
  if (values.read) return readOutput(readFileSync(logOf(unit), 'latin1'), tests)
  const server = values.reference
    ? await startRealRedis(['--enable-debug-command', 'yes'])
    : await startOurs({ durability: 'interval', limits: { debugCommand: true } })
  try {
    const output = await runSuite(path, unit === scriptingUnit ? withoutFunctions(path) : unit, server.port)
    if (values.log !== undefined) {
      mkdirSync(values.log, { recursive: true })
      writeFileSync(logOf(unit), output, 'latin1')
    }
    return readOutput(output, tests)
  } finally {
    await server.close()
  }
}

function logOf(unit: string): string {
  return join(values.log ?? '.', `${unit.replaceAll('/', '-')}.log`)
}

/** Makes a file beside the one for scripts that has only the tests of EVAL; returns its name. */
function withoutFunctions(path: string): string {
  const source = readFileSync(join(path, 'tests', `${scriptingUnit}.tcl`), 'latin1')
  if (!source.includes(bothHalves)) throw new Error(`${scriptingUnit} is not as in redis 7.0`)
  writeFileSync(join(path, 'tests', `${scriptingUnit}-eval.tcl`), source.replace(bothHalves, evalHalf), 'latin1')
  return `${scriptingUnit}-eval`
}

/** All that the suite says. Encodings and digests are matters of Redis's memory, which it can be told not to look at. */
async function runSuite(path: string, unit: string, port: number): Promise<string> {
  const server = ['--host', '127.0.0.1', '--port', String(port), '--baseport', String(await freePort())]
  const options = ['--durable', '--ignore-encoding', '--ignore-digest', '--timeout', String(unitTimeoutMs / 1000)]
  const child = spawn('tclsh', ['tests/test_helper.tcl', ...server, ...options, '--single', unit], {
    cwd: path,
    env: { ...process.env, TMPDIR: tmpdir() },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let output = ''
    const giveUp = setTimeout(() => endGroup(child), unitTimeoutMs)
    const take = (bytes: Buffer): void => {
      output += bytes.toString('latin1')
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(giveUp)
      resolve(output)
    })
  })
}

/** The suite starts processes of its own. */
function endGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL')
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
