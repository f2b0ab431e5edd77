/** ACL: users, their rights, and what was denied. */

import { bytesOf, commandClasses, type Denial, textOf, type User } from '@orbitkv/access'
import { realRandomUint32 } from '@orbitkv/runtime'
import type { Access, UsersFile } from '../access/access.ts'
import type { Arguments } from '../protocol/arguments.ts'
import type { Reply } from '../protocol/reply.ts'
import { type Call, CommandError, type CommandSpec } from './command.ts'
import { helpCommand } from './help.ts'
import { numberAt } from './options.ts'
import { type CommandTable, commandAt } from './table.ts'

const anybody = { group: 'server', categories: [], flags: ['noscript', 'loading', 'stale'] } as const
const admins = { ...anybody, flags: ['admin', 'noscript', 'loading', 'stale'] } as const

const noFile =
  'ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.'
const passwordBitsDefault = 256
const passwordBitsMax = 4096
const logEntriesDefault = 10

/** `table` gives the whole table, for ACL DRYRUN. */
export function aclCommands(table: () => CommandTable): readonly CommandSpec[] {
  const subcommands: readonly CommandSpec[] = [
    {
      ...anybody,
      name: 'cat',
      arity: -2,
      since: '6.0.0',
      complexity: 'O(1)',
      summary: 'Classes of commands, or the commands of one.',
      syntax: '[category]',
      run: listClasses,
    },
    {
      ...admins,
      name: 'deluser',
      arity: -3,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '6.0.0',
      complexity: 'O(1)',
      summary: 'Deletes users and closes their connections.',
      syntax: 'username [username ...]',
      run: deleteUsers,
    },
    {
      ...admins,
      name: 'dryrun',
      arity: -4,
      since: '7.0.0',
      complexity: 'O(1)',
      summary: 'Whether a user may run a command, which is not run.',
      syntax: 'username command [arg ...]',
      run: (call) => dryRun(call, table()),
    },
    {
      ...anybody,
      name: 'genpass',
      arity: -2,
      since: '6.0.0',
      complexity: 'O(1)',
      summary: 'A random password of 256 bits, or of as many as asked for.',
      syntax: '[bits]',
      run: generatePassword,
    },
    {
      ...admins,
      name: 'getuser',
      arity: 3,
      since: '6.0.0',
      complexity: 'O(N) for N rules',
      summary: 'A user: flags, hashes of passwords, and rights.',
      syntax: 'username',
      run: describeUser,
    },
    {
      ...admins,
      name: 'list',
      arity: 2,
      since: '6.0.0',
      complexity: 'O(N) for N users',
      summary: 'All users in the form of the users file.',
      syntax: '',
      run: ({ reply, server }) => replyTexts(reply, server.access.users.lines),
    },
    {
      ...admins,
      name: 'load',
      arity: 2,
      since: '6.0.0',
      complexity: 'O(N) for N users',
      summary: 'Takes the users of the users file in place of those there are.',
      syntax: '',
      difference: 'Closes the connections of users that are gone; others go on with their new rights.',
      run: load,
    },
    {
      ...admins,
      name: 'log',
      arity: -2,
      since: '6.0.0',
      complexity: 'O(N) for N entries',
      summary: 'What was denied lately.',
      syntax: '[count | RESET]',
      run: showLog,
    },
    {
      ...admins,
      name: 'save',
      arity: 2,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '6.0.0',
      complexity: 'O(N) for N users',
      summary: 'Writes all users to the users file.',
      syntax: '',
      run: save,
    },
    {
      ...admins,
      name: 'setuser',
      arity: -3,
      tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      since: '6.0.0',
      complexity: 'O(N) for N rules',
      summary: 'Makes or changes a user.',
      syntax: 'username [rule [rule ...]]',
      difference:
        'Rules are shown in the order in which they were given, less those that change nothing; sanitize-payload is always so.',
      secretsFrom: 3,
      run: setUser,
    },
    {
      ...admins,
      name: 'users',
      arity: 2,
      since: '6.0.0',
      complexity: 'O(N) for N users',
      summary: 'The names of all users.',
      syntax: '',
      run: ({ reply, server }) => replyTexts(reply, server.access.users.names),
    },
    {
      ...anybody,
      name: 'whoami',
      arity: 2,
      since: '6.0.0',
      complexity: 'O(1)',
      summary: 'The user of this connection.',
      syntax: '',
      run: ({ reply, session }) => replyText(reply, session.user.name),
    },
  ]
  return [
    {
      name: 'acl',
      arity: -2,
      flags: [],
      group: 'server',
      categories: [],
      since: '6.0.0',
      complexity: 'O(1)',
      summary: 'Commands on users and their rights.',
      syntax: 'subcommand [argument ...]',
      subcommands: [...subcommands, helpCommand('acl', 'server', subcommands)],
    },
  ]
}

function tooMany(found: Arguments): string {
  return `ERR unknown subcommand or wrong number of arguments for '${found.text(1)}'. Try ACL HELP.`
}

/** Text in which each character is a byte. */
function replyText(reply: Reply, text: string): void {
  const bytes = bytesOf(text)
  reply.bulk(bytes, 0, bytes.length)
}

function replyTexts(reply: Reply, texts: readonly string[]): void {
  reply.array(texts.length)
  for (const text of texts) replyText(reply, text)
}

function listClasses({ arguments: found, reply, server }: Call): void {
  if (found.count > 3) throw new CommandError(tooMany(found))
  if (found.count === 2) {
    replyTexts(reply, commandClasses)
    return
  }
  const names = server.access.users.catalogue.names(found.text(2).toLowerCase())
  if (names === undefined) throw new CommandError(`ERR Unknown category '${found.text(2)}'`)
  replyTexts(reply, names)
}

function deleteUsers({ arguments: found, reply, server }: Call): void {
  let removed = 0
  for (let place = 2; place < found.count; place++) {
    if (found.text(place) === 'default') throw new CommandError("ERR The 'default' user cannot be removed")
    if (server.access.users.remove(textOf(found.copy(place)))) removed++
  }
  reply.integer(removed)
}

function dryRun(call: Call, table: CommandTable): void {
  const { arguments: found, reply, server } = call
  const { access } = server
  const user = access.users.get(textOf(found.copy(2)))
  if (user === undefined) throw new CommandError(`ERR User '${found.text(2)}' not found`)
  const command = commandAt(table, found, 3)
  if (command === undefined) throw new CommandError(`ERR Command '${found.text(3)}' not found`)
  const count = found.count - 3
  if (command.arity > 0 ? command.arity !== count : count < -command.arity) {
    throw new CommandError(`ERR wrong number of arguments for '${command.fullName}' command`)
  }
  const denial = access.denialOf(user, command, found, 3)
  if (denial === undefined) reply.ok()
  else replyText(reply, dryRunText(denial, command.fullName))
}

function dryRunText({ reason, object }: Denial, fullName: string): string {
  if (object === undefined) return `This user has no permissions to run the '${fullName}' command`
  return `This user has no permissions to access the '${textOf(object)}' ${reason}`
}

function generatePassword(call: Call): void {
  const { arguments: found, reply } = call
  if (found.count > 3) throw new CommandError(tooMany(found))
  const bits = found.count === 3 ? numberAt(call, 2) : passwordBitsDefault
  if (bits < 1 || bits > passwordBitsMax) {
    throw new CommandError(
      `ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to ${passwordBitsMax}`,
    )
  }
  const digits = Math.ceil(bits / 4)
  let text = ''
  while (text.length < digits) text += realRandomUint32().toString(16).padStart(8, '0')
  reply.bulkText(text.slice(0, digits))
}

function describeUser({ arguments: found, reply, server }: Call): void {
  const user = server.access.users.get(textOf(found.copy(2)))
  if (user === undefined) {
    reply.null()
    return
  }
  const [own, ...more] = user.selectors
  reply.map(6)
  reply.bulkText('flags')
  reply.set(user.flags.length)
  for (const flag of user.flags) reply.bulkText(flag)
  reply.bulkText('passwords')
  replyTexts(reply, user.hashes)
  if (own !== undefined) replySelector(reply, own)
  reply.bulkText('selectors')
  reply.array(more.length)
  for (const selector of more) {
    reply.map(3)
    replySelector(reply, selector)
  }
}

function replySelector(reply: Reply, { commands, keysText, channelsText }: User['selectors'][number]): void {
  reply.bulkText('commands')
  replyText(reply, commands.text)
  reply.bulkText('keys')
  replyText(reply, keysText)
  reply.bulkText('channels')
  replyText(reply, channelsText)
}

function setUser({ arguments: found, reply, server }: Call): void {
  const rules: string[] = []
  for (let place = 3; place < found.count; place++) rules.push(textOf(found.copy(place)))
  refusingAs(() => server.access.users.set(textOf(found.copy(2)), rules))
  reply.ok()
}

function load({ reply, server }: Call): void {
  const { access } = server
  const file = fileOf(access)
  refusingAs(() => access.users.load(file.read()))
  reply.ok()
}

function save({ reply, server }: Call): void {
  const { access } = server
  const file = fileOf(access)
  try {
    file.write(`${access.users.lines.join('\n')}\n`)
  } catch (error) {
    throw new CommandError(
      `ERR There was an error trying to save the ACLs to ${file.path}: ${(error as Error).message}`,
    )
  }
  reply.ok()
}

function fileOf({ file }: Access): UsersFile {
  if (file === undefined) throw new CommandError(noFile)
  return file
}

/** Runs a change of users; what is wrong with it becomes the reply. */
function refusingAs(change: () => void): void {
  try {
    change()
  } catch (error) {
    throw new CommandError(`ERR ${(error as Error).message}`)
  }
}

function showLog(call: Call): void {
  const { arguments: found, reply, server } = call
  const { denials } = server.access
  if (found.count > 3) throw new CommandError(tooMany(found))
  if (found.count === 3 && found.is(2, 'RESET')) {
    denials.clear()
    reply.ok()
    return
  }
  const entries = denials.entries(found.count === 3 ? Math.max(0, numberAt(call, 2)) : logEntriesDefault)
  const nowMs = server.clock.now()
  reply.array(entries.length)
  for (const entry of entries) {
    reply.map(7)
    reply.bulkText('count')
    reply.integer(entry.count)
    reply.bulkText('reason')
    reply.bulkText(entry.reason)
    reply.bulkText('context')
    reply.bulkText(entry.context)
    reply.bulkText('object')
    replyText(reply, entry.object)
    reply.bulkText('username')
    replyText(reply, entry.user)
    reply.bulkText('age-seconds')
    reply.double(Math.max(0, nowMs - entry.createdMs) / 1000)
    reply.bulkText('client-info')
    reply.bulkText(entry.client)
  }
}
