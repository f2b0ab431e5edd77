/**
 * The part `ordered`: the learned index against a B+tree on the same arrays, over every kind of key. The measuring is
 * bench/questions/ordered.ts; a call of it has both take turns in many rounds, so that one call a kind says enough.
 */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Samples } from '../harness/samples.ts'
import { keyKinds } from '../ordered/keys.ts'
import { PartFindings } from './findings.ts'

const question = fileURLToPath(new URL('../questions/ordered.ts', import.meta.url))
const work = ['seek', 'find', 'insert', 'scan'] as const
const btree = 'B+tree on the same arrays'
/** Kinds on which seeks and inserts must be faster, not only level. */
const fasterKinds = ['random', 'sequential']

/** As much as is used of what the question answers for one kind. */
interface Cell {
  /** Nanoseconds an operation, ours and the B+tree's. */
  readonly times: Readonly<Record<(typeof work)[number], readonly [number, number]>>
}

export interface OrderedOptions {
  readonly keys: number
  readonly rounds: number
  readonly note: (text: string) => void
}

export async function runOrdered({ keys, rounds, note }: OrderedOptions): Promise<PartFindings> {
  const findings = new PartFindings('ordered')
  const roster = { names: [], missing: {}, programs: {}, settings: {} }
  for (const { name } of keyKinds) {
    const samples = new Samples()
    for (let round = 0; round < rounds; round++) {
      note(`ordered, ${name}, round ${round + 1} of ${rounds}`)
      const { times } = cellOf(name, keys)
      for (const step of work) {
        samples.add(`${step} orbit`, times[step][0])
        samples.add(`${step} ${btree}`, times[step][1])
      }
    }
    const bar = fasterKinds.includes(name) ? 1.3 : 1
    for (const step of work) {
      const hasBar = step === 'seek' || step === 'insert'
      const plan = { what: `${name}: ${step}`, unit: 'ns/op', step, peer: btree, ...(hasBar ? { bar } : {}) }
      findings.compare(samples, roster, plan)
    }
  }
  return findings
}

function cellOf(kind: string, keys: number): Cell {
  const flags = [...process.execArgv, question, '--cell', `${kind}:${keys}`]
  const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
  if (!stdout.startsWith('{')) throw new Error(`bench/questions/ordered.ts answers nothing for ${kind}: ${stderr}`)
  return JSON.parse(stdout) as Cell
}
