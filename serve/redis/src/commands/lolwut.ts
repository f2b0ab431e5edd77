/** LOLWUT: a drawing, and the version. */

import type { Call, CommandSpec } from './command.ts'
import { numberAt } from './options.ts'

export const lolwutCommands: readonly CommandSpec[] = [
  {
    name: 'lolwut',
    arity: -1,
    flags: ['readonly', 'fast'],
    group: 'server',
    categories: [],
    since: '5.0.0',
    complexity: 'O(1)',
    summary: 'Draws an orbit, and tells the version.',
    syntax: '[VERSION version]',
    difference: 'One drawing, whatever the version asked for.',
    run: lolwut,
  },
]

const width = 48
const height = 14

function lolwut(call: Call): void {
  const { arguments: found, reply, server } = call
  if (found.count > 2 && found.is(1, 'VERSION')) numberAt(call, 2)
  const rows = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => cellAt(x, y))
      .join('')
      .trimEnd(),
  )
  reply.verbatim(`${rows.join('\n')}\n\nOrbitKV ver. ${server.facts().version}\n`)
}

/** A planet, and a moon on an ellipse around it. */
function cellAt(x: number, y: number): string {
  const [dx, dy] = [(x - width / 2) / (width / 2 - 1), (y - height / 2) / (height / 2 - 1)]
  if (dx * dx + dy * dy < 0.06) return '@'
  if (Math.hypot(dx - 0.68, dy + 0.7) < 0.1) return 'o'
  return Math.abs(dx * dx + dy * dy - 0.95) < 0.07 ? '.' : ' '
}
