/** From a command line to the sources of a plan, the later over the earlier: preset, file, calibration, flags. */

import { calibration, type InputFault, inputSpecs, type PlanRequest, type Source, sourceOf } from '@orbitkv/planner'
import { inputFlags } from '../commands/plan-command.ts'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { readJsonFile, readKindFiles, readPlanFile, readPreset } from './files.ts'

export interface Gathered {
  readonly request: PlanRequest
  /** Of files that are no plans: kinds and measurements. */
  readonly faults: readonly InputFault[]
}

export function gatherSources({ args, folder }: Pick<Context, 'args' | 'folder'>, file: string | undefined): Gathered {
  const { kinds, faults } = readKindFiles(args.text('kinds'), folder)
  const sources: Source[] = []
  const preset = args.text('preset')
  if (preset !== undefined) sources.push(readPreset(preset))
  if (file !== undefined) sources.push(readPlanFile(file, folder))
  const bench = args.text('calibrate')
  const measured = bench === undefined ? undefined : calibration(readJsonFile(bench, folder), bench)
  if (measured !== undefined) sources.push(measured.source)
  sources.push(commandLineOf(args))
  return { request: { sources, kinds }, faults: [...faults, ...(measured?.faults ?? [])] }
}

/** All flags are one source, so that they must agree with each other. */
function commandLineOf(args: Context['args']): Source {
  const entries = new Map<string, readonly [text: string, origin: string]>()
  const add = (id: string, text: string, origin: string) => {
    const before = entries.get(id)
    if (before !== undefined) {
      const fault = `sets ${id}, as ${before[1]} does; keep one of the two`
      throw cliErrors.flag_invalid({ flag: origin, given: text, fault, command: 'plan' })
    }
    entries.set(id, [text, origin])
  }
  for (const [flag, id] of [
    ...inputFlags.map(([name, , id]) => [name, id] as const),
    ['backend', 'storage.backend'] as const,
    ['node-kind', 'node.kind'] as const,
  ]) {
    const text = args.text(flag)
    if (text !== undefined) add(id, text, `--${flag}`)
  }
  const set = args.text('set')
  if (set !== undefined) for (const [id, text] of settings(set)) add(id, text, '--set')
  const column = (index: 0 | 1) => Object.fromEntries([...entries].map(([id, entry]) => [id, entry[index]]))
  return sourceOf('the command line', column(0), column(1))
}

/** `a.b=1,c.d=2`; a comma within a number does not part. Ids of inputs, or their last words where these are clear. */
function settings(text: string): (readonly [id: string, text: string])[] {
  return text.split(/,(?=\s*[a-z_.]+=)/).map((piece) => {
    const equals = piece.indexOf('=')
    const name = piece.slice(0, Math.max(0, equals)).trim()
    if (name === '')
      throw cliErrors.flag_invalid({ flag: '--set', given: piece, fault: 'write ID=VALUE', command: 'plan' })
    const matches = name.includes('.') ? [] : inputSpecs.filter(({ id }) => id.endsWith(`.${name}`))
    const id = matches.length === 1 ? (matches[0]?.id ?? name) : name
    return [id, piece.slice(equals + 1).trim()]
  })
}
