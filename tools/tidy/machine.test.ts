/**
 * Tidy rule: nothing in the repository knows the machine that it was written on: no absolute paths of a home or a
 * workplace, no registry host, no download address in the lockfile. Any clone installs from its own registry.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileNamed, repositoryFiles, type SourceFile } from './repository.ts'

const machinePath = /(?<![\w.}])\/(work|root|home|farm)\//
const registryHost = /registry\.(npmjs|yarnpkg)|\.pkg\.dev\b|artifactory/i
const downloadAddress = /"resolved":\s*"[a-z+]+:/

export function checkMachine(files: readonly SourceFile[]): string[] {
  const rules: readonly (readonly [RegExp, string])[] = [
    [machinePath, 'names a path of one machine'],
    [registryHost, 'names a registry host'],
    [downloadAddress, 'pins a download address; npm omits it with the .npmrc of this repository'],
  ]
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      return rules.filter(([pattern]) => pattern.test(line)).map(([, problem]) => `${path}:${index + 1}: ${problem}`)
    }),
  )
}

test('nothing in the repository knows the machine it was written on', () => {
  // All but this file, which spells what it looks for.
  const files = repositoryFiles().filter(({ path }) => path !== 'tools/tidy/machine.test.ts')
  assert.deepEqual(checkMachine(files), [])
})

test('canary: paths, hosts and addresses are found', () => {
  const bad = [`open('/home/ada/x')`, 'https://registry.npmjs.org/a', '"resolved": "https://a/b.tgz"']
  for (const line of bad) assert.equal(checkMachine([fileNamed('a.md', line)]).length, 1, line)
  const fine = ['"resolved": "storage/engine"', 'a network/home/b', 'dir}/work/']
  assert.deepEqual(checkMachine([fileNamed('a.json', fine.join('\n'))]), [])
})
