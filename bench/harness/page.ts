/**
 * docs/performance.md: a section for each bench, between two markers, that a standard run replaces. Nothing in it is written
 * by hand.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { partsOf, type Report, tablesOf } from './report.ts'
import { formatMarkdown } from './table.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const pageName = 'docs/performance.md'

const head = `# Performance

Written by the benches; each section names the command that replaces it. A ratio above 1 is in our favour, whatever the unit.
It is the median of the rounds' own ratios, since both sides of a round ran in turns, and beside it stand the least and the most of them.
A bar is what we asked of ourselves before we measured; NOT YET is one that could not be measured, and says why.
`

/** Replaces the section of the report's bench; returns the page's name. */
export function writePage(report: Report): string {
  const path = join(root, pageName)
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const sections = sectionsOf(before)
  sections.set(report.bench, sectionOf(report))
  const body = [...sections].map(([name, text]) => `<!-- bench ${name} -->\n${text}\n<!-- end ${name} -->\n`)
  writeFileSync(path, [head, ...body].join('\n'))
  return pageName
}

function sectionsOf(page: string): Map<string, string> {
  const pattern = /<!-- bench ([\w-]+) -->\n([\s\S]*?)\n<!-- end \1 -->/g
  return new Map([...page.matchAll(pattern)].map((match) => [match[1] as string, match[2] as string]))
}

function sectionOf(report: Report): string {
  const lines = [`## ${report.bench}`, '', '```', report.command, '```', '', `Run at ${report.startedAt}.`, '']
  for (const [name, value] of Object.entries({ ...report.machine, ...report.settings })) {
    lines.push(`- ${name}: ${value}`)
  }
  for (const part of partsOf(report)) {
    lines.push('', `### ${part}`)
    for (const { title, table } of tablesOf(report, part)) {
      if (title !== undefined) lines.push('', `**${title}**`)
      lines.push('', formatMarkdown(table))
    }
    for (const { title, path } of (report.charts ?? []).filter((chart) => chart.part === part)) {
      lines.push('', `![${title}](${path})`)
    }
  }
  return lines.join('\n')
}
