/** What a person at a terminal sees: progress and colours on a pseudo-terminal, made by `script` of util-linux. */

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanEnvironment, launcher, orbitOk, temporaryFolder } from './orbit.ts'

function missingScript(): string | false {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux')
      ? false
      : 'script is not that of util-linux'
  } catch {
    return 'script (util-linux) is not installed'
  }
}
const skip = missingScript()

interface Shown {
  readonly code: number
  readonly text: string
}

/** Runs orbit on a pseudo-terminal; everything that the terminal shows, and the exit code. */
async function onTerminal(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Shown> {
  const line = [process.execPath, launcher, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const child = spawn('script', ['-qec', `stty cols 120; ${line}`, '/dev/null'], {
    cwd: folder,
    env: { ...cleanEnvironment(), TERM: 'xterm', SHELL: '/bin/sh', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, text }
}

const escape = '\u001b'
const colour = new RegExp(`${escape}\\[\\d+m`)

test('an import draws a bar with share, rate and time, in colour, and leaves it full', { skip }, async (context) => {
  const folder = temporaryFolder(context)
  const rows = Array.from({ length: 30_000 }, (_, i) => `{"key":"k${i}","value":"v"}\n`).join('')
  writeFileSync(join(folder.path, 'a.ndjson'), rows)
  const { code, text } = await onTerminal(['import', 'a.ndjson', '--data', 'store'], folder.path)
  assert.equal(code, 0, text)
  const drawn = text.split('\r').filter((line) => line.startsWith('importing a.ndjson'))
  assert.ok(drawn.length >= 2, text)
  assert.match(drawn[0] as string, / +\d+% {2}[\d,]+ records, [\d,]+\/s, .* left/)
  const last = drawn.at(-1) as string
  assert.match(last, /=========/)
  assert.match(last, /100% {2}30,000 records, [\d,]+\/s, in \d/)
  assert.match(last, colour)
  assert.match(text, /imported 30,000 of 30,000 records of a\.ndjson into store in /)
})

test('NO_COLOR takes the colours and leaves the bar', { skip }, async (context) => {
  const folder = temporaryFolder(context)
  writeFileSync(join(folder.path, 'a.ndjson'), '{"key":"k","value":"v"}\n')
  const { text } = await onTerminal(['import', 'a.ndjson', '--data', 'store'], folder.path, { NO_COLOR: '1' })
  assert.doesNotMatch(text, colour)
  assert.match(text, /\[={24}\] {2}100%/)
})

test('with --json there is no bar', { skip }, async (context) => {
  const folder = temporaryFolder(context)
  writeFileSync(join(folder.path, 'a.ndjson'), '{"key":"k","value":"v"}\n')
  const { text } = await onTerminal(['import', 'a.ndjson', '--data', 'store', '--json'], folder.path)
  assert.match(text, /^\{"file":"a\.ndjson",.*\}\r\n$/)
})

test('a value that would command the terminal is shown as escapes, and raw only when asked for', {
  skip,
}, async (context) => {
  const folder = temporaryFolder(context)
  await orbitOk(['put', 'evil', '\u001b[31mred\u0007\nsecond line', '--data', 'store'], { folder: folder.path })
  const { text } = await onTerminal(['get', 'evil', '--data', 'store'], folder.path)
  assert.equal(text, '\\x1b[31mred\\x07\r\nsecond line\r\n')
  const raw = await onTerminal(['get', 'evil', '--raw', '--data', 'store'], folder.path)
  assert.equal(raw.text, '\u001b[31mred\u0007\r\nsecond line')
})

test('help and errors are in colour', { skip }, async (context) => {
  const folder = temporaryFolder(context)
  assert.match((await onTerminal(['help'], folder.path)).text, colour)
  const { code, text } = await onTerminal(['gett'], folder.path)
  assert.equal(code, 2)
  assert.ok(text.startsWith(`${escape}[31morbit:${escape}[39m there is no command gett`), text)
})
