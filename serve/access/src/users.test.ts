/** Users: their rules, their text, and what they may do. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '@orbitkv/base'
import { Catalogue } from './catalogue.ts'
import { bytesOf } from './text.ts'
import type { Use } from './user.ts'
import { Users } from './users.ts'

const catalogue = new Catalogue([
  { name: 'get', classes: ['read', 'string', 'fast'], isOpen: false },
  { name: 'set', classes: ['write', 'string', 'slow'], isOpen: false },
  { name: 'hget', classes: ['read', 'hash', 'fast'], isOpen: false },
  { name: 'select', classes: ['connection', 'fast'], isOpen: false },
  { name: 'auth', classes: ['connection', 'fast'], isOpen: true },
  { name: 'publish', classes: ['pubsub'], isOpen: false, usesChannels: true },
  { name: 'config', classes: ['slow'], isOpen: false },
  { name: 'config|get', classes: ['admin', 'slow'], isOpen: false },
  { name: 'config|set', classes: ['admin', 'slow'], isOpen: false },
])

function newUsers(): Users {
  return new Users({ catalogue, hasChannelsAtFirst: false })
}

function use(command: string, more: Partial<Use> = {}): Use {
  const number = catalogue.numberOf(command)
  assert.ok(number !== undefined, command)
  return {
    command: number,
    firstArgument: () => undefined,
    keys: [],
    channels: [],
    touchesUnknownKeys: false,
    keyCount: more.keys?.length ?? 0,
    channelCount: more.channels?.length ?? 0,
    ...more,
  }
}

const key = (name: string, isRead: boolean, isWritten: boolean) => ({
  ...span(name),
  isRead,
  isWritten,
})
const span = (name: string) => ({ bytes: bytesOf(name), start: 0, end: name.length })

/** What is denied to a user with these rules: a reason, or nothing. */
function denied(rules: readonly string[], wanted: Use): string | undefined {
  const users = newUsers()
  users.set('u', rules)
  const denial = users.get('u')?.denies(wanted)
  return denial?.reason
}

function line(...rules: string[]): string {
  const users = newUsers()
  for (const rule of rules) users.set('u', [rule])
  return users.lines[1] as string
}

test('a new user is off and may do nothing; the default user may do everything', () => {
  const users = newUsers()
  users.set('u', [])
  assert.deepEqual(users.lines, ['user default on nopass ~* &* +@all', 'user u off resetchannels -@all'])
  assert.equal(users.default.isFree, true)
  assert.equal(users.get('u')?.isFree, false)
  assert.equal(users.get('u')?.denies(use('get'))?.reason, 'command')
})

test('commands and classes in the order of their rules', () => {
  assert.equal(denied(['+@read'], use('get')), undefined)
  assert.equal(denied(['+@read', '-get'], use('get')), 'command')
  assert.equal(denied(['-get', '+@read'], use('get')), undefined)
  assert.equal(denied(['+@all', '-@hash'], use('hget')), 'command')
  assert.equal(denied(['+config'], use('config|set')), undefined)
  assert.equal(denied(['+config', '-config|set'], use('config|set')), 'command')
  assert.equal(denied(['+config|get'], use('config|get')), undefined)
  assert.equal(denied([], use('auth')), undefined, 'what logging in needs')
})

test('a command may be allowed with certain first arguments', () => {
  const argument = (text: string) => ({ firstArgument: () => text })
  assert.equal(denied(['+select|0'], use('select', argument('0'))), undefined)
  assert.equal(denied(['+select|0'], use('select', argument('1'))), 'command')
  assert.equal(denied(['+select|0', '-select'], use('select', argument('0'))), 'command')
})

test('keys by pattern and by what is done with them', () => {
  const read = { keys: [key('app:1', true, false)] }
  const write = { keys: [key('app:1', false, true)] }
  const ask = { keys: [key('app:1', false, false)] }
  assert.equal(denied(['+@all', '~app:*'], use('get', read)), undefined)
  assert.equal(denied(['+@all', '~other:*'], use('get', read)), 'key')
  assert.equal(denied(['+@all', '%R~app:*'], use('set', write)), 'key')
  assert.equal(denied(['+@all', '%W~app:*'], use('get', read)), 'key')
  assert.equal(denied(['+@all', '%R~app:*', '%W~app:*'], use('set', write)), undefined)
  assert.equal(denied(['+@all', '%W~app:*'], use('get', ask)), undefined)
  assert.equal(denied(['+@all', '~app:*'], use('get', { touchesUnknownKeys: true })), 'key')
  assert.equal(denied(['+@all', 'allkeys'], use('get', { touchesUnknownKeys: true })), undefined)
})

test('channels; a pattern must be granted as it is', () => {
  const channel = (name: string, isPattern = false) => ({ channels: [{ ...span(name), isPattern }] })
  assert.equal(denied(['+@all', '&news.*'], use('get', channel('news.a'))), undefined)
  assert.equal(denied(['+@all', '&news.*'], use('get', channel('other'))), 'channel')
  assert.equal(denied(['+@all', '&news.*'], use('get', channel('news.*', true))), undefined)
  assert.equal(denied(['+@all', '&news.*'], use('get', channel('news.a', true))), 'channel')
})

test('one selector must allow all of a command', () => {
  const both = use('set', { keys: [key('a', true, false), key('b', false, true)] })
  assert.equal(denied(['(+set %R~a)', '(+set %W~b)'], both), 'key')
  assert.equal(denied(['(+set %R~a %W~b)'], both), undefined)
  assert.equal(denied(['+set', '~a', '(+get ~b)'], use('get', { keys: [key('b', true, false)] })), undefined)
})

test('the denial tells of the selector that got furthest', () => {
  const users = newUsers()
  users.set('u', ['+get', '~a', '(+get', '~a', '~b)'])
  const denial = users.get('u')?.denies(use('get', { keys: [key('b', true, false), key('c', true, false)] }))
  assert.deepEqual(denial, { reason: 'key', object: bytesOf('c') })
})

test('the text of a user, as Redis writes it', () => {
  const hash = '2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90'
  assert.equal(line('on', '>alice'), `user u on #${hash} resetchannels -@all`)
  assert.equal(line('%R~foo', '%W~foo', '%RW~bar'), 'user u off ~foo ~bar resetchannels -@all')
  assert.equal(line('&a', '&b', '+get'), 'user u off resetchannels &a &b -@all +get')
  assert.equal(line('(+set ~y* &c)'), 'user u off resetchannels -@all (~y* resetchannels &c -@all +set)')
  assert.equal(line('+config|get', '+config'), 'user u off resetchannels -@all +config')
  assert.equal(line('+@all', '-config|set', '-config'), 'user u off resetchannels +@all -config')
  assert.equal(line('+@all', '+config|set'), 'user u off resetchannels +@all')
  assert.equal(line('+@all', '-@geo'), 'user u off resetchannels +@all -@geo')
  assert.equal(line('+@string', '-get', '+@string'), 'user u off resetchannels -@all -get +@string')
  assert.equal(line('+@all', '-get', '+get'), 'user u off resetchannels +@all')
  assert.equal(line('+select|0', '+select|1'), 'user u off resetchannels -@all +select|0 +select|1')
})

test('wrong rules are refused with their reason, and nothing of the change happens', () => {
  const users = newUsers()
  users.set('u', ['on', '+get'])
  const before = users.lines
  for (const [rule, reason] of [
    ['+foo', 'Unknown command or category name in ACL'],
    ['+@foo', 'Unknown command or category name in ACL'],
    ['-select|0', 'Unknown command or category name in ACL'],
    ['+config|get|x', 'Allowing first-arg of a subcommand is not supported'],
    ['+config|', 'Syntax error'],
    ['%X~a', 'Syntax error'],
    ['~a b', 'Syntax error'],
    [')', 'Syntax error'],
    ['#zz', 'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters'],
    ['(+get >x)', 'Syntax error'],
  ] as const) {
    assert.throws(
      () => users.set('u', ['off', '~x', rule]),
      (error: Error) => hasCode(error, 'access.bad_rule') && error.message.endsWith(`'${rule}': ${reason}`),
      rule,
    )
  }
  assert.throws(
    () => users.set('u', ['allkeys', '~x']),
    /Adding a pattern after the \* pattern \(or the 'allkeys' flag\)/,
  )
  assert.throws(() => users.set('u', ['&*', '&x']), /the 'allchannels' flag/)
  assert.throws(() => users.set('u', ['(+get']), /Unmatched parenthesis in acl selector starting at '\(\+get'\./)
  assert.throws(() => users.set('a b', []), /Usernames can't contain spaces or null characters/)
  assert.deepEqual(users.lines, before)
})

test('no error and no text holds a password', () => {
  const users = newUsers()
  assert.throws(
    () => users.set('u', ['<topsecret']),
    (error: Error) =>
      hasCode(error, 'access.bad_rule') && !JSON.stringify([error, error.message]).includes('topsecret'),
  )
  assert.throws(
    () => users.load('user u >topsecret +nonsense'),
    (error: Error) => !error.message.includes('topsecret'),
  )
  users.set('u', ['>topsecret'])
  assert.ok(!users.lines.join().includes('topsecret'))
})

test('logging in: enabled users with one of their passwords, any bytes', () => {
  const users = newUsers()
  users.set('u', ['on', '>one', '>tw\xff\0o'])
  const tries = (name: string, password: string) => users.authenticate(name, bytesOf(password))?.name
  assert.equal(tries('u', 'one'), 'u')
  assert.equal(tries('u', 'tw\xff\0o'), 'u')
  assert.equal(tries('u', 'three'), undefined)
  assert.equal(tries('nobody', 'one'), undefined)
  users.set('u', ['<one'])
  assert.equal(tries('u', 'one'), undefined)
  users.set('u', ['off'])
  assert.equal(tries('u', 'tw\xff\0o'), undefined)
  users.set('u', ['on', 'nopass'])
  assert.equal(tries('u', 'whatever'), 'u')
  users.setDefaultPassword('secret')
  assert.equal(tries('default', ''), undefined)
  assert.equal(tries('default', 'secret'), 'default')
})

test('a file takes the place of all users, whole or not at all', () => {
  const users = newUsers()
  users.set('old', ['on', 'nopass', '+@all', 'allkeys'])
  users.set('kept', ['on', '+get'])
  const [old, kept] = [users.get('old'), users.get('kept')]
  const gone: string[] = []
  users.onRemove = ({ name }) => gone.push(name)
  const before = users.lines
  assert.throws(
    () => users.load('user a +get\nuser a +set\nusr b\nuser c +nonsense'),
    /line 2: Duplicate user 'a' found\. line 3: should start with user keyword .* line 4: Unknown command/,
  )
  assert.deepEqual(users.lines, before)
  users.load('# people\n\nuser kept on +set\r\nuser a on ( +get ~x )\n')
  assert.deepEqual(users.names, ['a', 'default', 'kept'])
  assert.equal(users.get('kept'), kept, 'connections of a user keep it')
  assert.equal(kept?.denies(use('set')), undefined)
  assert.deepEqual(gone, ['old'])
  assert.equal(old?.denies(use('get'))?.reason, 'command', 'who is gone may do nothing')
  users.load(users.lines.join('\n'))
  assert.deepEqual(users.names, ['a', 'default', 'kept'])
})

test('nobody is free of checks while something is counted', () => {
  const users = newUsers()
  users.isCounted = true
  assert.equal(users.default.isFree, false)
  users.set('default', ['-get', '+get'])
  assert.equal(users.default.isFree, false)
  users.isCounted = false
  assert.equal(users.default.isFree, true)
  users.set('default', ['-get'])
  assert.equal(users.default.isFree, false)
})

test('what a user may do whatever the arguments is known beforehand, and after each change', () => {
  const users = newUsers()
  const may = (name: string, command: string): boolean | undefined =>
    users.get(name)?.allowsAlways(catalogue.numberOf(command) ?? -1)
  users.set('u', ['+get', '+publish', 'allkeys', '+select|0'])
  assert.deepEqual(
    [may('u', 'get'), may('u', 'set'), may('u', 'publish'), may('u', 'select')],
    [true, false, false, false],
  )
  users.set('u', ['allchannels', '+set'])
  assert.deepEqual([may('u', 'set'), may('u', 'publish')], [true, true])
  users.set('u', ['resetkeys', '~a*', '(+get allkeys)'])
  assert.deepEqual([may('u', 'get'), may('u', 'set')], [true, false])
  const user = users.get('u')
  users.remove('u')
  assert.equal(user?.allowsAlways(catalogue.numberOf('get') ?? -1), false)
})

test('a hostile file is refused by its lines, and bytes that belong to letters stay', () => {
  const users = newUsers()
  for (const name of ['a\0b', 'a\vb', 'a\fb']) {
    assert.throws(() => users.load(`user ${name} on nopass +@all allkeys`), /line 1: Usernames can't contain/)
  }
  assert.throws(() => users.load('user a on ~x\0y'), /line 1: Syntax error/)
  assert.throws(() => users.load('user a (+get ~x'), /line 1: Unmatched parenthesis/)
  assert.throws(() => users.load('user default on nopass\nuser __proto__ on +nothing'), /line 2: Unknown command/)
  const aWithGrave = Buffer.from('~voilà', 'utf8').toString('latin1')
  users.load(`user ${aWithGrave.slice(1)} on ${aWithGrave}\nuser constructor on +get ~k`)
  assert.match(
    users.lines.join('\n'),
    new RegExp(`^user ${aWithGrave.slice(1)} on ${aWithGrave} resetchannels -@all$`, 'm'),
  )
  assert.deepEqual(users.names, ['constructor', 'default', aWithGrave.slice(1)])
})
