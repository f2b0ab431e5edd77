/** How Redis's own suite fares, as it is kept (suite-results.ts) and shown (documentation.ts). */

/** Of one file of the suite. */
export interface SuiteUnit {
  readonly tests: number
  readonly passed: number
  readonly failures: readonly SuiteFailure[]
}

export interface SuiteFailure {
  readonly reason: string
  readonly tests: readonly string[]
}

/** By the name of the file. */
export type SuiteResults = Readonly<Record<string, SuiteUnit>>

/** The part of the page that tells of it: totals, then every failure under its reason. */
export function suiteSection(results: SuiteResults): string {
  const units = Object.entries(results)
  const tests = sum(units.map(([, unit]) => unit.tests))
  const passed = sum(units.map(([, unit]) => unit.passed))
  const lines = [
    "## Redis's own test suite",
    '',
    `Of the ${number(tests)} tests of the Tcl suite of Redis 7.0.15 that run against an external server, ${number(passed)} pass`,
    `(${((100 * passed) / Math.max(tests, 1)).toFixed(1)} %): \`npm run test:tcl -- FOLDER\`, where FOLDER holds Redis's sources. Counted are those of unit/type, expire, scan,`,
    'keyspace, multi, pubsub, scripting (without FUNCTION), bitops, bitfield, hyperloglog, sort, dump, introspection, other and',
    'info-command; in acl, auth, info, limits and maxmemory every test starts servers of its own and is left out there (`external:skip`).',
    "Encodings and digests of Redis's memory are not looked at (`--ignore-encoding`, `--ignore-digest`).",
    '',
    '| File | Tests | Pass |',
    '|---|--:|--:|',
    ...units.map(([name, unit]) => `| ${name} | ${unit.tests} | ${unit.passed} |`),
    '',
    '| What fails | Why |',
    '|---|---|',
  ]
  for (const [name, { failures }] of units) {
    for (const { reason, tests: failed } of failures)
      lines.push(`| ${name}: ${failed.map(shown).join('; ')} | ${reason} |`)
  }
  return `${lines.join('\n')}\n`
}

function shown(test: string): string {
  return test.replaceAll('|', '\\|')
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
