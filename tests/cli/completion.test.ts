/** The completion scripts in their shells: bash completes for real; zsh and fish where they are installed. */

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { orbit, orbitOk, temporaryFolder } from './orbit.ts'

function missing(shell: string): string | false {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0 ? false : `${shell} is not installed`
}

async function scriptOf(shell: string, folder: string): Promise<string> {
  const path = join(folder, `orbit.${shell}`)
  writeFileSync(path, (await orbitOk(['completion', shell])).stdout)
  return path
}

/** What bash offers for the last of these words. */
function bashOffers(script: string, words: readonly string[], folder: string): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ')
  const program = `source '${script}'; complete -p orbit > /dev/null || exit 9
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _orbit; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['--norc', '-c', program], { cwd: folder, encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')
}

test('bash sources the script and completes commands, flags, choices, files and folders', {
  skip: missing('bash'),
}, async (context) => {
  const folder = temporaryFolder(context)
  const script = await scriptOf('bash', folder.path)
  execFileSync('bash', ['-n', script])
  const offers = (...words: string[]) => bashOffers(script, ['orbit', ...words], folder.path)
  assert.deepEqual(offers('s'), ['serve', 'scan', 'stats'])
  assert.ok(offers('').includes('import'))
  assert.deepEqual(offers('scan', '--re'), ['--reverse'])
  assert.deepEqual(offers('serve', '--durability', ''), ['always', 'interval', 'none'])
  assert.deepEqual(offers('serve', '--durability', 'i'), ['interval'])
  assert.deepEqual(offers('config', ''), ['check', 'show'])
  assert.deepEqual(offers('completion', 'z'), ['zsh'])
  assert.deepEqual(offers('help', 'imp'), ['import'])
  assert.deepEqual(offers('get', 'anything'), [])
  writeFileSync(join(folder.path, 'orders.csv'), '')
  execFileSync('mkdir', [join(folder.path, 'other')])
  assert.deepEqual(offers('import', 'ord'), ['orders.csv'])
  assert.deepEqual(offers('get', '--data', 'o'), ['other'], 'folders only')
})

for (const shell of ['zsh', 'fish']) {
  test(`${shell} takes the script`, { skip: missing(shell) }, async (context) => {
    const folder = temporaryFolder(context)
    execFileSync(shell, ['-n', await scriptOf(shell, folder.path)])
  })
}

test('a shell that is not known is a usage error', async () => {
  const { code, stderr } = await orbit(['completion', 'bahs'])
  assert.equal(code, 2)
  assert.match(stderr, /must be one of bash, zsh, fish; did you mean bash\?/)
})
