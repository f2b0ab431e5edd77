/** Help says everything that the tables hold. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commands } from '../commands/catalogue.ts'
import { envOfKey } from '../config/keys.ts'
import { plain } from '../terminal/styles.ts'
import { flagLabel } from './command.ts'
import { commandHelp, overviewHelp } from './help.ts'

test('the overview names every command', () => {
  const help = overviewHelp(commands, '1.2.3', plain)
  for (const { name, summary } of commands) assert.ok(help.includes(`  ${name}`) && help.includes(summary), name)
  assert.ok(help.includes('1.2.3'))
})

for (const command of commands) {
  test(`the help of ${command.name} names its flags, arguments, examples and exit codes, in lines that fit`, () => {
    const help = commandHelp(command, plain, envOfKey)
    for (const flag of command.flags) assert.ok(help.includes(flagLabel(flag)), flag.name)
    for (const { name } of command.operands) assert.ok(help.includes(name), name)
    for (const { line, does } of command.examples) assert.ok(help.includes(line) && help.includes(does), line)
    assert.match(help, /Exit codes\n {2}0 {3}/)
    for (const line of help.split('\n')) assert.ok(line.length <= 104, line)
  })
}
