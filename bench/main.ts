/**
 * The benches: `npm run bench -- NAME [options]`. Each name asks one question and is one folder here; this file knows
 * their names, reads the options they share, and shows what came out.
 *
 * What must hold: contestants of one comparison run in one call, in turns, so that what the machine does meanwhile meets
 * both; a figure on docs/performance.md comes from a standard run (no --quick, --keys, --rounds, --part, --peers) and nowhere else.
 */

import { parseArgs } from 'node:util'
import { engines } from './engines/main.ts'
import { first } from './first/main.ts'
import type { Bench, BenchOptions } from './harness/bench.ts'
import { describeMachine } from './harness/machine.ts'
import { writePage } from './harness/page.ts'
import { formatReport, holdsEveryBar, type Report } from './harness/report.ts'
import { store } from './store/main.ts'

const benches: readonly Bench[] = [first, engines, store]

const usage = `usage: npm run bench -- NAME [options]

${benches.map(({ name, question }) => `  ${name.padEnd(10)} ${question}`).join('\n')}

  --quick        fewer keys and rounds, for trying out
  --keys N       keys in the data set
  --rounds N     rounds of each comparison; medians are taken over them
  --part NAME    only this part of the bench (${benches.map(({ name, parts }) => `${name}: ${parts.join(', ')}`).join('; ')})
  --peers A,B    only these beside us (${benches.flatMap(({ name, peers }) => (peers === undefined ? [] : [`${name}: ${peers.join(', ')}`])).join('; ')})
  --json         the report as one JSON document on standard output; what it does meanwhile on standard error
  --help         this text

A standard run, one without --quick, --keys, --rounds, --part and --peers, also rewrites its section of docs/performance.md.
Exit code: 0 when every bar holds, 1 when one does not, 2 for a wrong command line.`

async function main(args: string[]): Promise<number> {
  const { values, positionals } = readArguments(args)
  if (values.help === true) {
    console.log(usage)
    return 0
  }
  const bench = benches.find(({ name }) => name === positionals[0])
  if (bench === undefined || positionals.length > 1) throw new UsageError(`name one bench`)
  if (values.part !== undefined && !bench.parts.includes(values.part)) {
    throw new UsageError(`${bench.name} has no part ${values.part}; it has ${bench.parts.join(', ')}`)
  }
  const { keys, rounds, quick = false, part } = values
  const peers = values.peers?.split(',')
  for (const peer of peers ?? []) {
    if (bench.peers?.includes(peer) !== true) {
      throw new UsageError(`${bench.name} has no peer ${peer}; it has ${bench.peers?.join(', ') ?? 'none to choose'}`)
    }
  }
  const options: BenchOptions = {
    quick,
    ...(keys === undefined ? {} : { keys: wholeNumber('--keys', keys, bench.keysMin) }),
    ...(rounds === undefined ? {} : { rounds: wholeNumber('--rounds', rounds, 1) }),
    ...(part === undefined ? {} : { part }),
    ...(peers === undefined ? {} : { peers }),
    note: (text) => process.stderr.write(`${text}\n`),
  }
  const standard = !quick && keys === undefined && rounds === undefined && part === undefined && peers === undefined
  const startedAt = new Date().toISOString()
  const findings = await bench.run(options)
  const report: Report = {
    bench: bench.name,
    reportVersion: 1,
    startedAt,
    command: `npm run bench -- ${args.filter((argument) => argument !== '--json').join(' ')}`,
    standard,
    machine: describeMachine(),
    ...findings,
    ...(standard && bench.draw !== undefined ? { charts: bench.draw(findings) } : {}),
  }
  console.log(values.json === true ? JSON.stringify(report, undefined, 2) : formatReport(report))
  if (standard) process.stderr.write(`wrote ${writePage(report)}\n`)
  return holdsEveryBar(report) ? 0 : 1
}

class UsageError extends Error {}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        keys: { type: 'string' },
        rounds: { type: 'string' },
        part: { type: 'string' },
        peers: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < min) throw new UsageError(`${name} takes a whole number from ${min} on`)
  return value
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`error: ${error.message}\n\n${usage}`)
  process.exitCode = 2
}
