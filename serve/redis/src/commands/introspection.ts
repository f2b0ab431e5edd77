/** COMMAND and its subcommands: what the table of commands says, as clients and redis-cli read it. */

import { type Call, type Command, CommandError, type CommandSpec, syntaxError } from './command.ts'
import { helpCommand } from './help.ts'
import { keyPlaces, replyKeySpecs, replySet } from './key-specs.ts'
import { nameMatcher } from './options.ts'
import { type CommandTable, commandAt } from './table.ts'

const shared = {
  group: 'server',
  categories: ['connection'],
  flags: ['loading', 'stale'],
  complexity: 'O(N) for N commands',
} as const
const anyOrder = ['nondeterministic_output_order']

/** `table` gives the whole table, which holds these commands, too. */
export function introspectionCommands(table: () => CommandTable): readonly CommandSpec[] {
  const all = (): Command[] => [...table().values()]
  const subcommands: readonly CommandSpec[] = [
    {
      ...shared,
      name: 'count',
      arity: 2,
      since: '2.8.13',
      complexity: 'O(1)',
      summary: 'How many commands there are.',
      syntax: '',
      run: ({ reply }) => reply.integer(table().size),
    },
    {
      ...shared,
      name: 'docs',
      arity: -2,
      tips: anyOrder,
      since: '7.0.0',
      summary: 'Summaries of commands.',
      syntax: '[command-name [command-name ...]]',
      difference: 'Without the parts history and arguments.',
      run: (call) => replyDocs(call, namedOrAll(call, table(), all())),
    },
    {
      ...shared,
      name: 'getkeys',
      arity: -4,
      since: '2.8.13',
      complexity: 'O(N) for N arguments',
      summary: 'Which arguments of a command are keys.',
      syntax: 'command [argument ...]',
      run: (call) => replyKeys(call, table(), false),
    },
    {
      ...shared,
      name: 'getkeysandflags',
      arity: -4,
      since: '7.0.0',
      complexity: 'O(N) for N arguments',
      summary: 'Which arguments of a command are keys, and what it does with them.',
      syntax: 'command [argument ...]',
      run: (call) => replyKeys(call, table(), true),
    },
    {
      ...shared,
      name: 'info',
      arity: -2,
      tips: anyOrder,
      since: '2.8.13',
      summary: 'Arity, flags and keys of commands.',
      syntax: '[command-name [command-name ...]]',
      run: (call) => {
        const names = namedOrAll(call, table(), all())
        call.reply.array(names.length)
        for (const { command } of names) replyInfo(call, command)
      },
    },
    {
      ...shared,
      name: 'list',
      arity: -2,
      tips: anyOrder,
      since: '7.0.0',
      summary: 'Names of commands.',
      syntax: '[FILTERBY MODULE name | ACLCAT category | PATTERN pattern]',
      run: (call) => replyNames(call, all()),
    },
  ]
  return [
    {
      ...shared,
      name: 'command',
      arity: -1,
      tips: anyOrder,
      since: '2.8.13',
      summary: 'Arity, flags and keys of all commands.',
      syntax: '',
      run: (call) => {
        const commands = all()
        call.reply.array(commands.length)
        for (const command of commands) replyInfo(call, command)
      },
      subcommands: [...subcommands, { ...helpCommand('command', 'server', subcommands), categories: ['connection'] }],
    },
  ]
}

interface Named {
  readonly name: string
  readonly command: Command | undefined
}

/** The commands that the arguments name, `client|id` for a subcommand; without arguments all. */
function namedOrAll({ arguments: found }: Call, table: CommandTable, all: readonly Command[]): Named[] {
  if (found.count === 2) return all.map((command) => ({ name: command.fullName, command }))
  const named: Named[] = []
  for (let place = 2; place < found.count; place++) {
    const name = found.text(place).toLowerCase()
    const [container = '', subcommand, ...more] = name.split('|')
    const command = table.get(container)
    if (more.length > 0) named.push({ name, command: undefined })
    else named.push({ name, command: subcommand === undefined ? command : command?.byName?.get(subcommand) })
  }
  return named
}

function replyInfo(call: Call, command: Command | undefined): void {
  const { reply } = call
  if (command === undefined) {
    reply.null()
    return
  }
  // The range over all keys, as Redis gives it: of two single keys in a row, RENAME's, the one from the first to the last.
  const ranges = (command.keys ?? []).filter((keys) => 'first' in keys)
  const [keys] = ranges
  const last = ranges.at(-1)?.last ?? 0
  reply.array(10)
  reply.bulkText(command.fullName)
  reply.integer(command.arity)
  replySet(call, command.flags)
  reply.integer(keys?.first ?? 0)
  reply.integer(last)
  reply.integer(keys?.step ?? 0)
  replySet(
    call,
    categoriesOf(command).map((category) => `@${category}`),
  )
  replySet(call, command.tips ?? [], (tip) => call.reply.bulkText(tip))
  replyKeySpecs(call, command)
  const subcommands = [...(command.byName?.values() ?? [])]
  reply.set(subcommands.length)
  for (const subcommand of subcommands) replyInfo(call, subcommand)
}

/** Those of its row, and those that follow from its flags. */
export function categoriesOf({ flags, categories }: CommandSpec): string[] {
  const found = new Set(categories)
  if (flags.includes('write')) found.add('write')
  if (flags.includes('readonly') && !categories.includes('scripting')) found.add('read')
  if (flags.includes('admin')) found.add('admin').add('dangerous')
  if (flags.includes('blocking')) found.add('blocking')
  found.add(flags.includes('fast') ? 'fast' : 'slow')
  return [...found]
}

function replyDocs(call: Call, names: readonly Named[]): void {
  const { reply } = call
  const known = names.filter(({ command }) => command !== undefined)
  reply.map(known.length)
  for (const { command } of known) {
    if (command === undefined) continue
    reply.bulkText(command.fullName)
    replyDoc(call, command)
  }
}

function replyDoc(call: Call, command: Command): void {
  const { reply } = call
  const texts: [string, string][] = [
    ['summary', command.summary],
    ['since', command.since],
    ['group', command.group],
    ['complexity', command.complexity],
  ]
  if (command.deprecatedSince !== undefined) texts.push(['deprecated_since', command.deprecatedSince])
  if (command.replacedBy !== undefined) texts.push(['replaced_by', command.replacedBy])
  const subcommands = [...(command.byName?.values() ?? [])]
  const isDeprecated = command.deprecatedSince !== undefined
  reply.map(texts.length + (isDeprecated ? 1 : 0) + (subcommands.length > 0 ? 1 : 0))
  for (const [name, text] of texts) {
    reply.bulkText(name)
    reply.bulkText(text)
  }
  if (isDeprecated) {
    reply.bulkText('doc_flags')
    replySet(call, ['deprecated'])
  }
  if (subcommands.length > 0) {
    reply.bulkText('subcommands')
    replyDocs(
      call,
      subcommands.map((subcommand) => ({ name: subcommand.fullName, command: subcommand })),
    )
  }
}

function replyNames(call: Call, all: readonly Command[]): void {
  const { arguments: found } = call
  let names = all
  if (found.count === 5 && found.is(2, 'FILTERBY')) {
    const matches = nameMatcher(call, 4)
    const category = found.text(4).toLowerCase()
    if (found.is(3, 'PATTERN')) names = all.filter(({ name }) => matches(name))
    else if (found.is(3, 'ACLCAT')) names = all.filter((command) => categoriesOf(command).includes(category))
    else if (found.is(3, 'MODULE')) names = []
    else throw new CommandError(syntaxError)
  } else if (found.count !== 2) {
    throw new CommandError(syntaxError)
  }
  replyTexts(
    call,
    names.map(({ name }) => name),
  )
}

function replyKeys(call: Call, table: CommandTable, hasFlags: boolean): void {
  const { arguments: found, reply } = call
  const command = commandAt(table, found, 2)
  if (command === undefined) throw new CommandError('ERR Invalid command specified')
  if (command.keys === undefined) throw new CommandError('ERR The command has no key arguments')
  const count = found.count - 2
  const { arity } = command
  if (arity > 0 ? arity !== count : count < -arity) {
    throw new CommandError('ERR Invalid number of arguments specified for command')
  }
  const keys: [place: number, flags: readonly string[]][] = []
  for (const keySpec of command.keys) {
    for (const place of keyPlaces(call, keySpec, count)) keys.push([place + 2, keySpec.flags])
  }
  reply.array(keys.length)
  for (const [place, flags] of keys) {
    if (hasFlags) reply.array(2)
    reply.bulk(found.bytes, found.start(place), found.end(place))
    if (hasFlags) replySet(call, flags)
  }
}

function replyTexts({ reply }: Call, texts: readonly string[]): void {
  reply.array(texts.length)
  for (const text of texts) reply.bulkText(text)
}
