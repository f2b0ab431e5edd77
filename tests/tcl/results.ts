/** What a run of the suite says, line by line, and how that compares with what is expected. */

import type { SuiteUnit } from '@orbitkv/redis/suite'

/** Of one file of the suite. */
export interface UnitResult {
  /** Tests that the file has; what is neither passed nor failed was not reached. */
  readonly tests: number
  readonly passed: number
  /** Names of failed tests. */
  readonly failed: readonly string[]
}

const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')

/** Reads the output of the suite for one file. */
export function readOutput(output: string, tests: number): UnitResult {
  let passed = 0
  const failed: string[] = []
  for (const line of output.replace(colours, '').split('\n')) {
    if (/^\[ok\]: .* \(\d+ ms\)$/.test(line)) passed++
    const failure = /^\[err\]: (.*) in tests\/\S+\.tcl$/.exec(line)
    if (failure !== null) failed.push(failure[1] as string)
  }
  return { tests, passed, failed }
}

/** What is not as expected, for people; nothing where all is. */
export function differences(
  unit: string,
  { tests, passed, failed }: UnitResult,
  kept: SuiteUnit | undefined,
): string[] {
  const expected = new Set(kept?.failures.flatMap((failure) => failure.tests))
  const told = failed.filter((test) => !expected.has(test)).map((test) => `${unit}: fails unexpectedly: ${test}`)
  if (told.length === 0 && passed < (kept?.passed ?? tests)) {
    told.push(`${unit}: ${passed} of ${tests} tests pass, where ${kept?.passed ?? tests} did`)
  }
  return told
}

/** The results as they are to be kept, with the reasons that are known. */
export function keep(result: UnitResult, kept: SuiteUnit | undefined): SuiteUnit {
  const { tests, passed, failed } = result
  const reasons = new Map(kept?.failures.flatMap((failure) => failure.tests.map((test) => [test, failure.reason])))
  const names = [...new Set(failed)].sort()
  const missed = tests - passed - failed.length
  if (missed > 0) names.push(`${missed} tests behind a failed one`)
  const byReason = new Map<string, string[]>()
  for (const test of names) {
    const reason = reasons.get(test) ?? ''
    byReason.set(reason, [...(byReason.get(reason) ?? []), test])
  }
  return { tests, passed, failures: Array.from(byReason, ([reason, grouped]) => ({ reason, tests: grouped })) }
}
