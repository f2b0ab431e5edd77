/**
 * `orbit plan init`: asks for what only the user knows, checks each answer as it comes, and asks again until it can be
 * used. An empty answer takes the default in brackets. Questions go to standard error, so that answers may come from a
 * pipe and the plan may go into one.
 */

import {
  backends,
  defaultBackend,
  defaultKind,
  formatQuantity,
  type InputSpec,
  inputSpecs,
  isShareId,
  makePlan,
  type NodeKind,
  readAmount,
  type Source,
  sourceOf,
  unit,
} from '@orbitkv/planner'
import { cliErrors } from '../errors.ts'
import type { Notes } from '../terminal/output.ts'

export interface DialogueRequest {
  readonly input: AsyncIterable<Uint8Array>
  readonly notes: Pick<Notes, 'write' | 'line' | 'styles'>
  readonly kinds: readonly NodeKind[]
}

/** The answers as a source of a plan, and the ids that were asked for. */
export async function askForPlan({ input, notes, kinds }: DialogueRequest): Promise<Source> {
  const answers = linesOf(input)
  const ask = async (question: string, standard: string | undefined): Promise<string> => {
    notes.write(`${question}${standard === undefined ? '' : notes.styles.dim(` [${standard}]`)} `)
    const { value, done } = await answers.next()
    if (done === true) throw cliErrors.plan_unfinished()
    return value.trim() === '' ? (standard ?? '') : value.trim()
  }
  notes.line('Amounts as you would write them: 5M, 10 billion, 1KB, 70%. Enter takes what stands in brackets.')
  const entries: Record<string, unknown> = {}
  for (const spec of inputSpecs.filter(({ question }) => question !== undefined)) {
    entries[spec.id] = await askUntilRead(spec, ask, notes)
  }
  notes.line('\nWhat keeps the data:')
  for (const { name, summary } of backends) notes.line(`  ${name.padEnd(8)} ${summary}`)
  entries['storage.backend'] = await askForName('Which?', backends, defaultBackend, ask, notes)
  notes.line('\nMachines:')
  const widest = Math.max(...kinds.map(({ name }) => name.length))
  for (const { name, summary } of kinds) notes.line(`  ${name.padEnd(widest)} ${summary}`)
  entries['node.kind'] = await askForName('Which kind?', kinds, defaultKind, ask, notes)
  return sourceOf('the answers', entries)
}

type Ask = (question: string, standard: string | undefined) => Promise<string>

async function askUntilRead(spec: InputSpec, ask: Ask, notes: DialogueRequest['notes']): Promise<number> {
  const standard =
    spec.default === undefined ? undefined : formatQuantity(spec.default, unit('1'), { isShare: isShareId(spec.id) })
  for (;;) {
    const text = await ask(spec.question as string, standard)
    const fault = text === '' ? 'it has no default; write an amount' : faultOf(spec, text)
    if (fault === undefined) {
      const amount = readAmount(text, spec.unit)
      if ('value' in amount) return amount.value
    }
    notes.line(`  ${notes.styles.bad('no')}: ${fault}`)
  }
}

/** What the plan would say of this answer alone. */
function faultOf(spec: InputSpec, text: string): string | undefined {
  const { faults } = makePlan({ sources: [sourceOf('the answer', { [spec.id]: text })], kinds: [] })
  return faults.find(({ field, value }) => field === spec.id && value !== undefined)?.fault
}

async function askForName(
  question: string,
  known: readonly { readonly name: string }[],
  standard: string,
  ask: Ask,
  notes: DialogueRequest['notes'],
): Promise<string> {
  for (;;) {
    const name = await ask(question, standard)
    if (known.some((one) => one.name === name)) return name
    notes.line(`  ${notes.styles.bad('no')}: write one of the names above`)
  }
}

const lineBytesMax = 4096

/** Lines of the input, as they come. */
async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of input) {
    rest += decoder.decode(bytes, { stream: true })
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.slice(0, end)
      rest = rest.slice(end + 1)
    }
    if (rest.length > lineBytesMax) rest = rest.slice(0, lineBytesMax)
  }
  if (rest !== '') yield rest
  return undefined
}
