/** `orbit plan`: reads what the plan is made from, makes it, and shows it. The calculation is @orbitkv/planner. */

import {
  type ClusterForecast,
  chartToSvg,
  chartToText,
  explanationOf,
  forecastOf,
  forecastSection,
  growthChart,
  headline,
  type InputFault,
  inputFaultLine,
  makePlan,
  markdownOf,
  type Plan,
  type PlanRequest,
  readAmount,
  readRange,
  type Scenario,
  type Section,
  scenariosOf,
  summaryOf,
  variedChart,
  vary,
} from '@orbitkv/planner'
import type { Context } from '../context.ts'
import { cliErrors } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { askForPlan } from '../plan/dialogue.ts'
import { planDocument } from '../plan/document.ts'
import { mustBeNew, writeNewFile } from '../plan/files.ts'
import { gatherSources } from '../plan/sources.ts'
import { planToml } from '../plan/toml.ts'
import { figurePrefixes, figuresOf, terminalLines, variedFigures, variedSection } from '../plan/views.ts'

const initFile = 'plan.toml'

export async function plan(context: Context): Promise<number> {
  const { args } = context
  const isInit = args.operand(0) === 'init'
  if (!isInit && args.operand(1) !== undefined)
    throw cliErrors.extra_argument({ command: 'plan', given: args.operand(1) })
  const { request, faults } = gatherSources(context, isInit ? undefined : args.operand(0))
  if (faults.length > 0) throw refuse(context, faults)
  await (isInit ? init(context, request) : show(context, request))
  return exitCodes.ok.code
}

async function init(context: Context, request: PlanRequest): Promise<void> {
  const { args, notes, input, folder } = context
  const file = args.operand(1) ?? initFile
  if (!args.on('force')) mustBeNew(file, folder)
  const answers = await askForPlan({ input, notes, kinds: request.kinds })
  // What the flags say stands over the answers, as it does over a file.
  const whole = { ...request, sources: [answers, ...request.sources] }
  const { inputs } = mustPlan(context, whole)
  const asked = new Set(
    [...inputs.origins]
      .filter(([, origin]) => origin !== 'default' && !/^(kind|backend) /.test(origin))
      .map(([id]) => id),
  )
  writeNewFile(file, folder, planToml(inputs, asked), args.on('force'))
  notes.line(`\nwrote ${file}; change it and run: orbit plan ${file}`)
  await show(context, whole)
}

async function show(context: Context, request: PlanRequest): Promise<void> {
  const { args, output, json, folder } = context
  const made = mustPlan(context, request)
  if (args.on('inputs')) return output.text(planToml(made.inputs))
  const years = args.number('years') ?? 3
  const { scenarios, faults } = scenariosOf(request, made)
  if (faults.length > 0) throw refuse(context, faults)
  const varied = variation(context, request)
  const forecast = args.on('simulate') ? simulation(context, made) : undefined
  const svg = args.text('svg')
  if (svg !== undefined)
    writeNewFile(svg, folder, chartToSvg(varied?.chart ?? growthChart(made, years)), args.on('force'))
  if (json) return output.json(planDocument({ plan: made, scenarios, years, varied, forecast }))
  const sections = sectionsOf(context, { made, scenarios, years, varied, forecast })
  if (args.on('markdown')) {
    const chart = varied === undefined ? '' : `\n\`\`\`\n${chartToText(varied.chart)}\n\`\`\`\n`
    return output.text(markdownOf(headline(made), sections) + chart)
  }
  const widthColumns = Math.min(Math.max(context.notes.columns, 60), 110)
  const chart = varied === undefined ? [] : ['', ...chartToText(varied.chart, { widthColumns }).trimEnd().split('\n')]
  return output.lines([output.styles.accent(headline(made)), ...terminalLines(sections, output.styles), ...chart])
}

interface Shown {
  readonly made: Plan
  readonly scenarios: readonly Scenario[]
  readonly years: number
  readonly varied: ReturnType<typeof variation>
  readonly forecast: ClusterForecast | undefined
}

/** The whole plan, unless something narrower is asked for. */
function sectionsOf({ args }: Context, { made, scenarios, years, varied, forecast }: Shown): Section[] {
  const sections: Section[] = []
  const isExplained = args.on('explain') || (args.text('figures') !== undefined && varied === undefined)
  const isNarrow = isExplained || varied !== undefined || forecast !== undefined
  if (isExplained) sections.push(...figurePrefixes(args, ['']).flatMap((prefix) => explanationOf(made, prefix)))
  if (!isNarrow) sections.push(...summaryOf({ plan: made, scenarios, years }))
  if (varied !== undefined) sections.push(variedSection(varied.range, varied.plans, varied.columns))
  if (forecast !== undefined) sections.push(forecastSection(forecast))
  return sections
}

function variation(context: Context, request: PlanRequest) {
  const text = context.args.text('vary')
  if (text === undefined) return undefined
  const range = readRange(text)
  if ('fault' in range)
    throw cliErrors.flag_invalid({ flag: '--vary', given: text, fault: range.fault, command: 'plan' })
  const { plans, faults } = vary(request, range)
  if (faults.length > 0) throw refuse(context, faults)
  const columns = figuresOf(figurePrefixes(context.args, variedFigures))
  const ids = columns.map(({ id }) => id)
  return { range, plans, columns, chart: variedChart(range, plans, ids) }
}

function simulation(context: Context, made: Plan): ClusterForecast {
  const { args } = context
  const text = args.text('target') ?? '99.99%'
  const target = readAmount(text, '1')
  if ('fault' in target || target.value <= 0 || target.value >= 1)
    throw cliErrors.flag_invalid({
      flag: '--target',
      given: text,
      fault: 'must be a share such as 99.99%',
      command: 'plan',
    })
  const { forecast, faults } = forecastOf(made, { seed: args.number('seed') ?? 1, target: target.value })
  if (forecast === undefined) throw refuse(context, faults)
  return forecast
}

function mustPlan(context: Context, request: PlanRequest): Plan {
  const { plan: made, faults } = makePlan(request)
  if (made === undefined) throw refuse(context, faults)
  return made
}

/** All faults at once: a line each for people, one message for programs. */
function refuse({ notes, json }: Context, faults: readonly InputFault[]): Error {
  const lines = faults.map(inputFaultLine)
  if (json || lines.length === 1) return cliErrors.plan_faults({ faults: lines.join('; ') })
  for (const line of lines) notes.line(`${notes.styles.bad('fault')}  ${line}`)
  return cliErrors.plan_faults({ faults: `${lines.length} faults, told above` })
}
