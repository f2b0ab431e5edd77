/** Pieces of SVG as text: escaping, numbers, elements, the colours for light and dark. Used by `svg.ts` alone. */

/** Distinct to most kinds of colour blindness, three to one at least against the ground (a test computes it). */
export const colours = {
  light: {
    ground: '#ffffff',
    ink: '#1f2328',
    faint: '#59636e',
    grid: '#d8dee4',
    series: ['#0072b2', '#d55e00', '#008060', '#b2478c', '#7a5f00', '#2f81c7', '#5b4fc4', '#6b6b6b'],
  },
  dark: {
    ground: '#14171c',
    ink: '#e6edf3',
    faint: '#9aa4af',
    grid: '#333a43',
    series: ['#4db3ff', '#ff9a4d', '#3ddba7', '#f0a3cf', '#e0c04a', '#a0d8ff', '#b3a8ff', '#bbbbbb'],
  },
} as const

/** So that lines differ without colour as well. */
const dashes = ['none', '7 3', '2 3', '9 3 2 3', '4 2', '12 4', '1 2', '6 2 2 2 2 2']

const rules = ({ ground, ink, faint, grid, series }: (typeof colours)['light' | 'dark']): string =>
  [
    `.ground{fill:${ground}}`,
    `.ink{fill:${ink}}`,
    `.faint{fill:${faint}}`,
    // Values stand across lines of the grid.
    `.small{stroke:${ground}}`,
    `.grid{stroke:${grid}}`,
    `.axis{stroke:${faint}}`,
    ...series.map((colour, index) => `.fill${index}{fill:${colour}}.line${index}{stroke:${colour}}`),
  ]
    .map((rule) => rule.replaceAll('.', '.orbit-chart .'))
    .join('')

export const styleSheet = [
  '<style>',
  '.orbit-chart text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}',
  '.orbit-chart .title{font-size:16px;font-weight:600}',
  '.orbit-chart .small{font-size:11px;stroke-width:3;paint-order:stroke}',
  '.orbit-chart .end{text-anchor:end}.orbit-chart .middle{text-anchor:middle}',
  '.orbit-chart .curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}',
  ...dashes.map((dash, index) => `.orbit-chart .line${index}{stroke-dasharray:${dash}}`),
  rules(colours.light),
  `@media (prefers-color-scheme:dark){${rules(colours.dark)}}`,
  '</style>',
].join('')

/** Text that can stand anywhere in XML; characters that XML forbids become the replacement character. */
export function escapeXml(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, '\ufffd')
      .replace(/[&<>"']/g, (char) => named[char] as string)
  )
}

/** A tenth of a pixel is fine enough. */
export const px = (value: number): string => String(Math.round(value * 10) / 10 || 0)

type Attributes = Readonly<Record<string, string | number>>

/** One element; `content` is markup already. Numbers are written as pixels. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? px(value) : escapeXml(value)}"`)
    .join('')
  return content === '' ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`
}

export const text = (attributes: Attributes, content: string): string =>
  element('text', attributes, escapeXml(content) || ' ')

/** Roughly: no font can be measured here. Wide scripts take a whole em. */
export function textWidth(content: string, size = 12): number {
  const ems = (char: string): number => {
    if (char.codePointAt(0)! >= 0x1100) return 1
    if (/[iljtfr.,:;'|! ]/.test(char)) return 0.36
    return /[mwMW%@]/.test(char) ? 0.95 : 0.63
  }
  return [...content].reduce((sum, char) => sum + ems(char), 0) * size
}

/** Cut so that it fits, with the sign of what is missing. */
export function fitText(content: string, width: number, size = 12): string {
  if (textWidth(content, size) <= width) return content
  const chars = [...content]
  while (chars.length > 1 && textWidth(`${chars.join('')}…`, size) > width) chars.pop()
  return `${chars.join('')}…`
}
