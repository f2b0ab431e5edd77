/** The flags of `orbit plan` are those of the planner's table of inputs, and its presets are there. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backends, inputSpecs, sourceDocuments } from '@orbitkv/planner'
import { inputFlags, planCommand } from '../commands/plan-command.ts'
import { readKindFiles, readPreset } from './files.ts'

test('each flag sets the input that the planner says', () => {
  const wanted = inputSpecs.flatMap(({ id, flag }) => (flag === undefined ? [] : [`${flag} ${id}`]))
  assert.deepEqual(inputFlags.map(([flag, , id]) => `${flag} ${id}`).sort(), wanted.sort())
})

test('the presets, backends and kinds that help names are there', () => {
  const preset = planCommand.flags.find(({ name }) => name === 'preset')
  assert.deepEqual([...(preset?.choices ?? [])].sort(), sourceDocuments.map((one) => one.preset).sort())
  for (const name of preset?.choices ?? []) assert.ok('data' in readPreset(name).table, name)
  const help = planCommand.flags.find(({ name }) => name === 'backend')?.help ?? ''
  for (const { name } of backends) assert.ok(help.includes(name), name)
  assert.deepEqual(readKindFiles(undefined, '').faults, [])
})
