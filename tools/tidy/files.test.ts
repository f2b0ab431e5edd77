/**
 * Tidy rules for a file as a whole: it begins with a header comment, it can be read in a sitting, and nothing
 * of unfinished work or of searching for a fault is left in it.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileNamed, isCode, isTest, layerOf, linesMatching, repositoryFiles, type SourceFile } from './repository.ts'

const linesMax = 600

/** Code files that do not begin with a comment (a `#!` line and `// @ts-check` may stand before it). */
export function checkHeaders(files: readonly SourceFile[]): string[] {
  const withHeader = /^(#![^\n]*\n)?(\/\/ @ts-check\n)?(\/\*|\/\/|#)/
  const bare = files.filter(({ path, text }) => isCode(path) && !withHeader.test(text))
  return bare.map(({ path }) => `${path}: does not begin with a header comment`)
}

export function checkSizes(files: readonly SourceFile[]): string[] {
  const long = files.filter(({ path, text }) => isCode(path) && text.split('\n').length > linesMax + 1)
  return long.map(({ path }) => `${path}: has more than ${linesMax} lines; split it by job`)
}

const leftovers = /\b(TODO|FIXME|XXX)\b|@ts-(ignore|nocheck)/

const forbiddenInCode: readonly (readonly [RegExp, string])[] = [
  [/\.only\(|\bonly: true\b/, 'runs only one test'],
  [/^\s*debugger\b/, 'stops in the debugger'],
  [/\bas any\b|<any>/, 'gives up types with any'],
  [/^\s*assert\.(rejects|doesNotReject)\(/, 'does not wait for its assertion; put await before it'],
]

/** Marks of unfinished work anywhere; in code also what must not outlive a search; below apps, console output. */
export function checkLeftovers(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const marks = file.text.split('\n').flatMap((line, index) => {
      return leftovers.test(line) ? [`${file.path}:${index + 1}: ${line.match(leftovers)?.[0]} is left over`] : []
    })
    if (!isCode(file.path)) return marks
    const inCode = forbiddenInCode.flatMap(([pattern, problem]) => linesMatching(file, pattern, problem))
    const mayPrint = [undefined, 'apps'].includes(layerOf(file.path)) || file.path.endsWith('.mjs') || isTest(file.path)
    const printed = mayPrint ? [] : linesMatching(file, /\bconsole\.\w+\(/, 'prints; only apps, tools and benches do')
    return [...marks, ...inCode, ...printed]
  })
}

/** All but this file, which spells what it looks for. */
const files = repositoryFiles().filter(({ path }) => path !== 'tools/tidy/files.test.ts')

test('every code file begins with a header comment', () => {
  assert.deepEqual(checkHeaders(files), [])
})

test(`no code file has more than ${linesMax} lines`, () => {
  assert.deepEqual(checkSizes(files), [])
})

test('nothing is left over', () => {
  assert.deepEqual(checkLeftovers(files), [])
})

test('canary: a bare file and a long one are found', () => {
  assert.equal(checkHeaders([fileNamed('a.ts', 'export const a = 1\n')]).length, 1)
  assert.deepEqual(checkHeaders([fileNamed('a.mjs', '#!/usr/bin/env node\n// @ts-check\n/** a */\n')]), [])
  assert.equal(checkSizes([fileNamed('a.c', '/* a */\n'.repeat(linesMax + 1))]).length, 1)
  assert.deepEqual(checkSizes([fileNamed('a.c', '/* a */\n'.repeat(linesMax))]), [])
})

test('canary: leftovers are found', () => {
  const bad = ['// TODO', 'test.only(1)', '  debugger', 'x as any', '// @ts-ignore', 'assert.rejects(f)']
  for (const line of [...bad, 'console.log(1)']) {
    assert.equal(checkLeftovers([fileNamed('storage/a/src/a.ts', line)]).length, 1, line)
  }
  const fine = ['await assert.rejects(f)', '// has any', 'const only = 1']
  assert.deepEqual(checkLeftovers([fileNamed('storage/a/src/a.ts', fine.join('\n'))]), [])
  assert.deepEqual(checkLeftovers([fileNamed('apps/a/src/a.ts', 'console.log(1)')]), [])
})
