/** The parser: what it takes, what it refuses and in which words, and that it never matters how a stream is cut. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random } from '@orbitkv/base'
import fc from 'fast-check'
import { Arguments } from './arguments.ts'
import { BufferPool } from './buffers.ts'
import { type ParserLimits, RequestParser } from './parser.ts'

const limits: ParserLimits = { bulkBytesMax: 1000, argumentsMax: 100, lineBytesMax: 200, frameBytesMax: 5000 }
const seed = Number(process.env.ORBIT_SEED ?? 11)

interface Outcome {
  readonly commands: string[][]
  readonly error: string
  readonly heldBytes: number
}

/** Feeds a stream in pieces; each piece lies in a buffer that is overwritten afterwards, as on a connection. */
function parse(pieces: readonly string[], use: Partial<ParserLimits> = {}): Outcome {
  const pool = new BufferPool(10_000_000)
  const shared = new Arguments()
  const parser = new RequestParser({ ...limits, ...use }, pool, shared)
  const commands: string[][] = []
  const buffer = new Uint8Array(100_000)
  for (const [place, piece] of pieces.entries()) {
    // At another offset each time.
    const start = (place * 7) % 13
    buffer.set(Buffer.from(piece, 'latin1'), start)
    parser.begin(buffer, start, start + piece.length)
    for (;;) {
      const result = parser.next()
      if (result === 'more') break
      if (result === 'error') return { commands, error: parser.error, heldBytes: parser.heldBytes }
      commands.push(textsOf(parser.arguments))
    }
    parser.finish()
    buffer.fill(0x2a)
  }
  const heldBytes = parser.heldBytes
  parser.release()
  assert.equal(pool.takenBytes, 0, 'every buffer was given back')
  return { commands, error: '', heldBytes }
}

function textsOf({ bytes, count, starts, ends }: Arguments): string[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(bytes.slice(starts[i], ends[i])).toString('latin1'))
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`
}

describe('commands', () => {
  test('a RESP array of bulk strings', () => {
    assert.deepEqual(parse(['*2\r\n$3\r\nGET\r\n$1\r\na\r\n']).commands, [['GET', 'a']])
  })

  test('several in one read, the last one not whole', () => {
    const { commands, heldBytes } = parse([`${encode(['GET', 'a'])}${encode(['SET', 'b', ''])}*1\r\n$4\r\nPI`])
    assert.deepEqual(commands, [
      ['GET', 'a'],
      ['SET', 'b', ''],
    ])
    assert.equal(heldBytes, '*1\r\n$4\r\nPI'.length)
  })

  test('values may hold any bytes', () => {
    const value = '\r\n*1\r\n$4\r\n\0\xff'
    assert.deepEqual(parse([encode(['SET', 'a', value])]).commands, [['SET', 'a', value]])
  })

  test('arrays of nothing are skipped', () => {
    assert.deepEqual(parse([`*0\r\n*-1\r\n*-12\r\n${encode(['PING'])}`]).commands, [['PING']])
  })

  test('more arguments than were foreseen', () => {
    const command = Array.from({ length: 100 }, (_, i) => `argument ${i}`)
    assert.deepEqual(parse([encode(command), encode(['PING'])]).commands, [command, ['PING']])
  })

  test('inline commands, with and without a carriage return, and empty lines', () => {
    const { commands } = parse(['\r\nPING\r\n\n  SET  a\t1 \nGET a\r\n'])
    assert.deepEqual(commands, [['PING'], ['SET', 'a', '1'], ['GET', 'a']])
  })

  test('quotes in inline commands', () => {
    const lines: [string, string[]][] = [
      ['SET a "b c"', ['SET', 'a', 'b c']],
      ['SET a "\\x41\\xff\\n\\r\\t\\b\\a\\\\\\"\\q"', ['SET', 'a', 'A\xff\n\r\t\b\x07\\"q']],
      ['SET a "\\x4"', ['SET', 'a', 'x4']],
      ["SET a 'it\\'s \\n'", ['SET', 'a', "it's \\n"]],
      ['SET a""', ['SET', 'a']],
      ['SET a "" \'\'', ['SET', 'a', '', '']],
      ['SET a b"c d"', ['SET', 'a', 'bc d']],
    ]
    for (const [line, command] of lines) assert.deepEqual(parse([`${line}\r\n`]).commands, [command], line)
  })
})

describe('what is no command', () => {
  const cases: [name: string, stream: string, error: string][] = [
    ['a count that is no number', '*x\r\n', 'invalid multibulk length'],
    ['a count without digits', '*\r\n', 'invalid multibulk length'],
    ['a count with a leading zero', '*01\r\n', 'invalid multibulk length'],
    ['a count over the limit', '*101\r\n', 'invalid multibulk length'],
    ['a count beyond all numbers', '*99999999999999999999\r\n', 'invalid multibulk length'],
    ['a length over the limit', '*1\r\n$1001\r\n', 'invalid bulk length'],
    ['a negative length', '*1\r\n$-1\r\n', 'invalid bulk length'],
    ['a length that is no number', '*1\r\n$1a\r\n', 'invalid bulk length'],
    ['a length beyond all numbers', '*1\r\n$9999999999999999999999\r\n', 'invalid bulk length'],
    ['something else than a bulk string', '*1\r\n:1\r\n', "expected '$', got ':'"],
    ['quotes that do not match', 'SET a "b\r\n', 'unbalanced quotes in request'],
    ['quotes within a word', 'SET "a"b\r\n', 'unbalanced quotes in request'],
    ["single quotes that don't match", "SET a 'b\r\n", 'unbalanced quotes in request'],
    ['an inline command that is too long', 'x'.repeat(201), 'too big inline request'],
    ['a count line that is too long', `*${'1'.repeat(201)}`, 'too big mbulk count string'],
    ['a length line that is too long', `*1\r\n$${'1'.repeat(201)}`, 'too big bulk count string'],
    ['a command that is too long', encode(Array<string>(8).fill('x'.repeat(700))), 'a command of more than 5000 bytes'],
  ]
  for (const [name, stream, error] of cases) {
    test(`${name}: ${error}`, () => {
      const before = parse([`${encode(['PING'])}${stream}`])
      assert.deepEqual(before, { ...before, commands: [['PING']], error: `Protocol error: ${error}` })
      // The same when every byte comes alone.
      assert.equal(parse([...stream]).error, `Protocol error: ${error}`)
    })
  }
})

test('a length that is announced takes no memory before its bytes are there', () => {
  const pool = new BufferPool(1_000_000)
  const parser = new RequestParser(
    { ...limits, bulkBytesMax: 500_000_000, frameBytesMax: 600_000_000 },
    pool,
    new Arguments(),
  )
  const header = Buffer.from('*2\r\n$3\r\nSET\r\n$400000000\r\nabc')
  parser.begin(header, 0, header.length)
  assert.equal(parser.next(), 'more')
  parser.finish()
  assert.ok(pool.takenBytes <= 65_536, `${pool.takenBytes} bytes`)
})

describe('however a stream is cut', () => {
  const bulk = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
  const command = fc.array(bulk, { minLength: 1, maxLength: 30 })
  const word = fc.stringMatching(/^[a-z0-9$*]{1,10}$/)
  const inline = fc.array(word, { minLength: 1, maxLength: 4 }).filter(([first]) => !first?.startsWith('*'))

  test('the commands are the same', () => {
    const frame = fc.oneof(
      command.map((parts) => ({ text: encode(parts), parts })),
      inline.map((parts) => ({ text: `${parts.join(' ')}\r\n`, parts })),
    )
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 40 }), (frames, cuts) => {
        const stream = frames.map(({ text }) => text).join('')
        const expected = frames.map(({ parts }) => parts)
        assert.deepEqual(parse(cutAt(stream, cuts)).commands, expected)
      }),
      { seed, numRuns: 300 },
    )
  })

  test('at every single byte', () => {
    const commands = [['SET', 'key', 'value'], ['GET', 'key'], ['MSET', ...Array<string>(40).fill('x')], ['PING']]
    const stream = `${commands.map(encode).join('')}inline a\r\n`
    const expected = [...commands, ['inline', 'a']]
    assert.deepEqual(parse([...stream]).commands, expected)
    for (let cut = 0; cut <= stream.length; cut++) {
      assert.deepEqual(parse([stream.slice(0, cut), stream.slice(cut)]).commands, expected, `cut at ${cut}`)
    }
  })

  test('asked for one command at a time, with the rest kept in between', () => {
    const commands = Array.from({ length: 50 }, (_, i) => ['SET', `key ${i}`, 'x'.repeat(i)])
    const bytes = Buffer.from(commands.map(encode).join(''), 'latin1')
    const parser = new RequestParser(limits, new BufferPool(1_000_000), new Arguments())
    const found: string[][] = []
    parser.begin(bytes, 0, bytes.length)
    while (parser.next() === 'command') {
      found.push(textsOf(parser.arguments))
      parser.finish()
      parser.begin(new Uint8Array(0), 0, 0)
    }
    assert.deepEqual(found, commands)
  })
})

test(`arbitrary bytes neither throw nor hang nor pile up, ORBIT_SEED=${seed}`, () => {
  const random = new Random(seed)
  const pool = new BufferPool(10_000_000)
  const shared = new Arguments()
  const pieces = [
    '*',
    '$',
    '\r\n',
    '-',
    '1',
    '0',
    '9',
    '"',
    "'",
    '\\x',
    ' ',
    'PING',
    '*1\r\n',
    '$4\r\n',
    '*3\r\n$3\r\nSET\r\n',
  ]
  for (let connection = 0; connection < 3000; connection++) {
    const parser = new RequestParser(limits, pool, shared)
    let isOpen = true
    for (let read = 0; read < 30 && isOpen; read++) {
      const text = Array.from({ length: random.between(1, 12) }, () => random.pick(pieces)).join('')
      const bytes = random.chance(3) ? random.bytes(random.between(1, 300)) : Buffer.from(text)
      parser.begin(bytes, 0, bytes.length)
      let result = parser.next()
      // No command is shorter than two bytes, a letter and its line's end.
      for (let count = 0; result === 'command'; count++) {
        assert.ok(count <= bytes.length + limits.frameBytesMax, 'the parser goes on')
        result = parser.next()
      }
      isOpen = result === 'more'
      if (isOpen) parser.finish()
      assert.ok(parser.heldBytes <= limits.frameBytesMax + limits.lineBytesMax + 300)
    }
    parser.release()
  }
  assert.equal(pool.takenBytes, 0)
})

function cutAt(stream: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort((a, b) => a - b)
  return places.slice(1).map((end, i) => stream.slice(places[i], end))
}
