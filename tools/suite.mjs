// @ts-check
/**
 * Finds and runs the tests of the workspace with node:test, at most two files at a time, and adds up the totals.
 *
 * Convention: tests beside the code (unit, contract, model, fault) are fast; those in tests/ start whole processes
 * and are slow. Packages that touch the disk run a second time with ORBIT_NATIVE=0, on the plain JavaScript disk.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filesBelow, pinnedNode, root, run, sourceFlags, toolEnvironment } from './toolchain.mjs'

/** Folders that hold nothing of ours. */
export const notOurs = new Set(['node_modules', 'dist', 'build', 'prebuilds', 'data', 'coverage', '.git', '.cache'])
const slowFolder = 'tests/'
const diskFolders = ['foundation/runtime/', 'storage/', 'apps/orbitkv/']

/** A test that hangs fails after this long; the crash tests, the longest, take a few minutes. */
const testTimeoutMs = 15 * 60_000

/** Variables of OrbitKV that mean something to tests; all others are configuration and must not leak in. */
const testVariables = new Set(['ORBIT_SEED', 'ORBIT_NATIVE'])

/** @typedef {Record<'tests' | 'suites' | 'passed' | 'failed' | 'cancelled' | 'skipped' | 'todo' | 'durationMs', number>} Totals */

/**
 * @param {{ slow: boolean, filter?: string }} options `filter`: part of a path, as in `storage/engine-log`
 * @returns {string[]} test files relative to the root
 */
export function findTests({ slow, filter = '' }) {
  const tests = filesBelow('.', notOurs).filter((path) => path.endsWith('.test.ts'))
  return tests.filter((path) => (slow || !isSlow(path)) && path.includes(filter))
}

/** Whether a test starts whole processes and uses the built packages. @param {string} path */
export function isSlow(path) {
  return path.startsWith(slowFolder)
}

/** Those of the files whose package reaches the disk, and so run on both disks. @param {readonly string[]} files */
export function onDisk(files) {
  return files.filter((path) => diskFolders.some((folder) => path.startsWith(folder)))
}

/**
 * Runs test files; an empty list is a run without tests.
 * @param {readonly string[]} files
 * @param {{ node?: string, variables?: Record<string, string>, isQuiet?: boolean }} [options] `isQuiet`: the runner's
 *   output is not shown but returned
 * @returns {Promise<{ exitCode: number, totals: Totals, output: string }>}
 */
export async function runTests(files, { node = pinnedNode(), variables = {}, isQuiet = false } = {}) {
  if (files.length === 0) return { exitCode: 0, totals: noTotals(), output: '' }
  const folder = mkdtempSync(join(tmpdir(), 'orbit-totals-'))
  try {
    const totalsPath = join(folder, 'totals.json')
    const outputPath = join(folder, 'output.txt')
    const reporters = [
      ['--test-reporter=spec', `--test-reporter-destination=${isQuiet ? outputPath : 'stdout'}`],
      [`--test-reporter=${join(root, 'tools/totals-reporter.mjs')}`, `--test-reporter-destination=${totalsPath}`],
    ]
    const flags = ['--test', '--test-concurrency=2', `--test-timeout=${testTimeoutMs}`, ...reporters.flat()]
    const env = testEnvironment(node, variables)
    const exitCode = await run(node, [...sourceFlags, ...flags, ...files], { env })
    const totals = { ...noTotals(), ...JSON.parse(readIfThere(totalsPath) || '{}') }
    return { exitCode, totals, output: readIfThere(outputPath) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A run that broke off may have written nothing; its exit code tells. @param {string} path */
function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** @param {string} node @param {Record<string, string>} variables */
function testEnvironment(node, variables) {
  const env = toolEnvironment(node)
  for (const name of Object.keys(env)) if (name.startsWith('ORBIT_') && !testVariables.has(name)) delete env[name]
  delete env.NODE_OPTIONS
  return { ...env, ...variables }
}

/** @returns {Totals} */
export function noTotals() {
  return { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0, durationMs: 0 }
}

/** @param {Totals} one @param {Totals} other @returns {Totals} */
export function addTotals(one, other) {
  const sum = noTotals()
  for (const name of /** @type {(keyof Totals)[]} */ (Object.keys(sum))) sum[name] = one[name] + other[name]
  return sum
}

/** The lines with which node:test ends a run. @param {Totals} totals */
export function formatTotals(totals) {
  const { tests, suites, passed, failed, cancelled, skipped, todo, durationMs } = totals
  const rows = {
    tests,
    suites,
    pass: passed,
    fail: failed,
    cancelled,
    skipped,
    todo,
    duration_ms: Math.round(durationMs),
  }
  return Object.entries(rows)
    .map(([name, value]) => `ℹ ${name} ${value}`)
    .join('\n')
}
