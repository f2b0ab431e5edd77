/** The HELP subcommand of commands that have subcommands, made from their rows. */

import type { CommandGroup, CommandSpec } from './command.ts'

export function helpCommand(container: string, group: CommandGroup, subcommands: readonly CommandSpec[]): CommandSpec {
  const lines = [`${container.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`]
  for (const { name, syntax, summary } of subcommands) {
    lines.push(`${name.toUpperCase()} ${syntax}`.trimEnd(), `    ${summary}`)
  }
  lines.push('HELP', '    Prints this help.')
  return {
    name: 'help',
    arity: 2,
    flags: ['loading', 'stale'],
    group,
    categories: group === 'connection' ? ['connection'] : [],
    since: '5.0.0',
    complexity: 'O(1)',
    summary: 'What the subcommands are.',
    syntax: '',
    run: ({ reply }) => {
      reply.array(lines.length)
      for (const line of lines) reply.status(line)
    },
  }
}
