/**
 * The planner: how many machines, how much memory, disk, network and money a cluster takes. Pure: no clock, no I/O, the
 * same inputs always give the same plan; files are read by whoever calls it (`orbit plan`).
 */

export { calibration } from './analysis/calibrate.ts'
export { type Explanation, explain, shownValue } from './analysis/explain.ts'
export { type ForecastOptions, type ForecastResult, forecastOf, forecastSection } from './analysis/forecast.ts'
export { growthOf, type HeadroomEnd, headroomEnd, type YearPlan } from './analysis/growth.ts'
export type { Note } from './analysis/notes.ts'
export { makePlan, type Plan, type PlanRequest, type PlanResult, sourceOf } from './analysis/plan.ts'
export {
  type Range,
  readRange,
  type Scenario,
  scenariosOf,
  type VariedPlan,
  vary,
} from './analysis/variants.ts'
export { type Chart, chartToSvg, chartToText } from './charts/index.ts'
export { type SourceDocument, sizingPage, sourceDocuments } from './documents/page.ts'
export { type FigureGroup, figureGroups, graph } from './figures/index.ts'
export { type Limit, limits } from './figures/nodes.ts'
export { type Amount, readAmount } from './inputs/amounts.ts'
export { type Backend, backends } from './inputs/backends.ts'
export { type InputFault, inputFaultLine } from './inputs/fault.ts'
export { type NodeKind, readKinds } from './inputs/kinds.ts'
export { defaultBackend, defaultKind, type Inputs, type Source, wordInputs } from './inputs/read.ts'
export { type InputSection, type InputSpec, inputById, inputSections, inputSpecs } from './inputs/table.ts'
export { type FormatOptions, formatQuantity, isShareId } from './model/format.ts'
export type { Figure, FigureSpec, Graph, Values } from './model/graph.ts'
export { baseUnits, type Unit, unit, unitText } from './model/units.ts'
export { growthChart, variedChart } from './report/charts.ts'
export { markdownOf, type Section } from './report/section.ts'
export { explanationOf, headline, summaryOf } from './report/summary.ts'
export type { ClusterForecast } from './simulation/index.ts'
