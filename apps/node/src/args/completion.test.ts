/** Completion scripts hold every command and flag; tests/cli/completion.test.ts runs them in a shell. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commands } from '../commands/catalogue.ts'
import { completionScript } from './completion.ts'

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  test(`the script for ${shell} names every command, flag and choice`, () => {
    const script = completionScript(shell, commands)
    for (const { name, flags } of commands) {
      assert.ok(script.includes(name), name)
      for (const flag of flags) {
        assert.ok(script.includes(shell === 'fish' ? `-l ${flag.name}` : `--${flag.name}`), flag.name)
        for (const choice of flag.choices ?? []) assert.ok(script.includes(choice), choice)
      }
    }
  })
}
