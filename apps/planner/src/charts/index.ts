/** Charts from labelled series with units: as SVG, and as text for a terminal. Pure. Public entry. */

export type { Axis, BarChart, Chart, LineChart, Point } from './chart.ts'
export { seriesMax } from './chart.ts'
export { chartErrors } from './errors.ts'
export { formatValue } from './format.ts'
export { chartToSvg, type SvgOptions } from './svg.ts'
export { chartToText, type TerminalOptions } from './terminal.ts'
