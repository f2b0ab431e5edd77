/** Parsing against the real tables: forms of flags, operands, errors that suggest the nearest. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OrbitError } from '@orbitkv/base'
import { commands } from '../commands/catalogue.ts'
import type { Command } from './command.ts'
import { findCommand, parseArguments } from './parse.ts'

const command = (name: string): Command => findCommand(commands, name)
const parse = (line: string, env: Record<string, string> = {}) => {
  const [name, ...args] = line.split(' ')
  return parseArguments(command(name as string), args, env)
}
const message = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof OrbitError)
    return `${error.code} ${error.message}`
  }
  return 'no error'
}

test('flags with a blank or an equals sign, switches, operands in between', () => {
  const args = parse('scan --limit 5 --prefix=user: --reverse')
  assert.equal(args.number('limit'), 5)
  assert.equal(args.text('prefix'), 'user:')
  assert.equal(args.on('reverse'), true)
  assert.equal(args.on('keys-only'), false)
  assert.equal(parse('put k --ttl 1h v').number('ttl'), 3_600_000)
  assert.equal(parse('scan --prefix=').text('prefix'), '')
  assert.equal(parse('scan --gte a=b').text('gte'), 'a=b')
})

test('two dashes end the flags; a dash alone is an operand, and literal behind them', () => {
  assert.deepEqual(parse('put k -').operands[1], { text: '-', literal: false })
  assert.deepEqual(parse('put k -- -').operands[1], { text: '-', literal: true })
  assert.equal(parse('get -- --help').operand(0), '--help')
})

test('a variable stands in for a flag, and the flag wins', () => {
  assert.equal(parse('get k', { ORBIT_URL: 'redis://a' }).text('url'), 'redis://a')
  assert.equal(parse('get k', { ORBIT_URL: 'redis://a' }).typed('url'), false)
  assert.equal(parse('get k --url redis://b', { ORBIT_URL: 'redis://a' }).text('url'), 'redis://b')
  assert.equal(parse('get k', { ORBIT_URL: '' }).text('url'), undefined)
})

test('values of configuration keys stay as they are written', () => {
  assert.deepEqual(
    parse('serve --redis-port nonsense --data x')
      .overrides()
      .map(({ flag, raw }) => [flag.configKey, raw]),
    [
      ['redis.port', 'nonsense'],
      ['persistence.mmap.data_dir', 'x'],
    ].sort((a, b) => (a[0] === 'redis.port' ? 1 : 0) - (b[0] === 'redis.port' ? 1 : 0)),
  )
})

test('every mistake is one line that names it and the way out', () => {
  assert.equal(
    message(() => command('gte')),
    'cli.unknown_command there is no command gte; did you mean `orbit get`?',
  )
  assert.match(
    message(() => command('zzzzzz')),
    /`orbit help` lists the commands/,
  )
  assert.equal(
    message(() => parse('scan --limt 5')),
    'cli.unknown_flag scan has no flag --limt; did you mean --limit?',
  )
  assert.match(
    message(() => parse('scan -x')),
    /^cli\.unknown_flag scan has no flag -x; /,
  )
  assert.match(
    message(() => parse('scan --limit')),
    /^cli\.flag_needs_value --limit needs a value \(N\)/,
  )
  assert.match(
    message(() => parse('scan --reverse=yes')),
    /^cli\.flag_takes_no_value/,
  )
  assert.match(
    message(() => parse('scan --limit 1 --limit=2')),
    /^cli\.flag_twice --limit is given twice/,
  )
  assert.match(
    message(() => parse('scan --limit -1')),
    /^cli\.flag_invalid --limit -1: must be a whole number/,
  )
  assert.match(
    message(() => parse('scan --limit 1e3')),
    /must be a whole number/,
  )
  assert.match(
    message(() => parse('scan --limit 99999999999999999999')),
    /must be a whole number/,
  )
  assert.match(
    message(() => parse('put k v --ttl 0')),
    /must be at least 1/,
  )
  assert.match(
    message(() => parse('put k v --ttl soon')),
    /must be a duration such as/,
  )
  assert.match(
    message(() => parse('bench --seconds 9999999')),
    /must be at most 3600/,
  )
  assert.match(
    message(() => parse('import f --format cvs')),
    /must be one of csv, ndjson, level, lmdb, redis; did you mean csv\?/,
  )
  assert.match(
    message(() => parse('put k')),
    /^cli\.missing_argument put needs VALUE/,
  )
  assert.match(
    message(() => parse('get a b')),
    /^cli\.extra_argument get takes no further argument b/,
  )
  assert.match(
    message(() => parse('completion bsh')),
    /SHELL bsh: must be one of bash, zsh, fish; did you mean bash\?/,
  )
  assert.match(
    message(() => parse('get k', { ORBIT_CONFIG: 'x' })),
    /no error/,
  )
})

test('asking for help forgives missing arguments', () => {
  assert.equal(parse('get --help').on('help'), true)
  assert.equal(parse('get -h').on('help'), true)
})

test('the tables are sound: names, examples that parse, flags once', () => {
  for (const each of commands) {
    assert.equal(
      new Set(each.flags.map(({ name }) => name)).size,
      each.flags.length,
      `${each.name}: a flag is there once`,
    )
    assert.ok(each.examples.length > 0, `${each.name} has an example`)
    for (const { line } of each.examples) {
      const own = line.slice(line.indexOf('orbit ') + 'orbit '.length).split(/ [|>2<]+ |\)$/)[0] as string
      const words = [...own.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? (match[2] as string))
      assert.equal(words[0], each.name, line)
      parseArguments(each, words.slice(1))
    }
  }
})
