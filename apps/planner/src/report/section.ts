/** A part of a report as data: a title and a table of texts, which a terminal and a Markdown page show alike. */

export interface Section {
  readonly title: string
  readonly head?: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Columns of numbers, set to the right. */
  readonly right?: readonly number[]
  /** Sentences below the table. */
  readonly notes?: readonly string[]
}

/** Sections as a Markdown page below a heading. */
export function markdownOf(title: string, sections: readonly Section[]): string {
  const blocks = sections.flatMap((section) => [`## ${section.title}`, ...tableOf(section), ...notesOf(section)])
  return `${[`# ${title}`, ...blocks].join('\n\n')}\n`
}

export function tableOf({ head, rows, right = [] }: Section): string[] {
  const [first] = rows
  if (first === undefined) return []
  const columns = Math.max(...rows.map((row) => row.length))
  const titles = head ?? first.map(() => '')
  const line = (cells: readonly string[]) =>
    `| ${Array.from({ length: columns }, (_, i) => (cells[i] ?? '').replaceAll('|', '\\|')).join(' | ')} |`
  const rule = Array.from({ length: columns }, (_, i) => (right.includes(i) ? '--:' : '---'))
  return [[line(titles), `|${rule.join('|')}|`, ...rows.map(line)].join('\n')]
}

function notesOf({ notes = [] }: Section): string[] {
  return notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]
}
