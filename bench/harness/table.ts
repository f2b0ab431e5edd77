/** Tables as aligned text for a terminal, and as Markdown. */

export interface Table {
  readonly columns: readonly string[]
  /** Which columns hold numbers, and so are flush right. */
  readonly numeric: readonly boolean[]
  readonly rows: readonly (readonly string[])[]
}

export function formatTable({ columns, numeric, rows }: Table): string {
  const widths = columns.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)))
  return [columns, ...rows]
    .map((row) =>
      row
        .map((text, column) =>
          numeric[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function formatMarkdown({ columns, numeric, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(columns), line(numeric.map((right) => (right ? '--:' : '---'))), ...rows.map(line)].join('\n')
}
