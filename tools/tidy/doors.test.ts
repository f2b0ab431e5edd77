/**
 * Tidy rule: below apps, the clock, timers, randomness, files and sockets come through foundation/runtime, so that a
 * whole cluster can run in one process from a seed. Only that package and the native addon reach for the real
 * things, and not even its simulated half does. Tests are free.
 *
 * setImmediate and queueMicrotask order work within a turn of the event loop, which is not time: serve, storage and the
 * runtime may use them, with a comment that says why on the same line or within the three before.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  fileNamed,
  importsOf,
  isTest,
  layerOf,
  linesMatching,
  repositoryFiles,
  type SourceFile,
  withoutComments,
} from './repository.ts'

const realThings = ['foundation/runtime/', 'foundation/native/']
/** Files that may go past the doors, each with its reason. */
const exceptions: Readonly<Record<string, string>> = {
  'foundation/base/src/random.ts': 'seedsFor picks the seeds of tests from the day, before there is a runtime',
}
const mayOrderTurns = ['serve/', 'storage/', 'foundation/runtime/']
const modules = /^(node:)?(fs|fs\/promises|net|tls|dgram|http|https|http2|dns|timers|timers\/promises)$/
const globals: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b/, 'reads the time'],
  [/\b(setTimeout|setInterval)\(/, 'sets a timer'],
  [/\bMath\.random\b|\brandom(Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b/, 'draws a random number'],
]
const wayOut = 'past foundation/runtime; take it from the runtime handed in'

/** Direct use of the outside world where it must be handed in. */
export function checkDoors(files: readonly SourceFile[]): string[] {
  const bound = files.filter(({ path }) => {
    const isReal = realThings.some((folder) => path.startsWith(folder)) && !path.includes('/simulated/')
    return (
      path.endsWith('.ts') &&
      ![undefined, 'apps'].includes(layerOf(path)) &&
      !isTest(path) &&
      !isReal &&
      !(path in exceptions)
    )
  })
  return bound.flatMap((file) => [
    ...importsOf(file.text)
      .filter((specifier) => modules.test(specifier))
      .map((specifier) => `${file.path}: imports ${specifier}, ${wayOut}`),
    ...globals.flatMap(([pattern, what]) => linesMatching(file, pattern, `${what} ${wayOut}`)),
    ...turnsWithoutReason(file),
  ])
}

function turnsWithoutReason(file: SourceFile): string[] {
  const code = withoutComments(file.text).split('\n')
  const lines = file.text.split('\n')
  const hasComment = (index: number) => index >= 0 && lines[index] !== code[index]
  return code.flatMap((line, index) => {
    if (!/\b(setImmediate|queueMicrotask)\(/.test(line)) return []
    const where = `${file.path}:${index + 1}`
    if (!mayOrderTurns.some((folder) => file.path.startsWith(folder))) return [`${where}: may not order turns here`]
    return [0, 1, 2, 3].some((above) => hasComment(index - above))
      ? []
      : [`${where}: orders turns without a comment that says why`]
  })
}

test('below apps, time, chance, disk and network come through the runtime', () => {
  assert.deepEqual(checkDoors(repositoryFiles()), [])
})

test('canary: what goes past the doors is found', () => {
  const bad = ['Date.now()', 'setTimeout(f, 1)', 'Math.random()', `import 'node:fs'`, `import 'node:net'`]
  for (const line of [...bad, 'setImmediate(f)']) {
    assert.equal(checkDoors([fileNamed('storage/a/src/a.ts', line)]).length, 1, line)
  }
  assert.equal(checkDoors([fileNamed('foundation/base/src/a.ts', '// why\nsetImmediate(f)')]).length, 1)
  assert.equal(checkDoors([fileNamed('foundation/runtime/src/simulated/a.ts', 'Date.now()')]).length, 1)
  assert.deepEqual(checkDoors([fileNamed('foundation/runtime/src/clock.ts', 'Date.now()')]), [])
  assert.deepEqual(checkDoors([fileNamed('storage/a/src/a.test.ts', 'Date.now()')]), [])
  assert.deepEqual(checkDoors([fileNamed('storage/a/src/a.ts', '// once a turn\nsetImmediate(f)\n// Date.now()')]), [])
})
