/** How the addon comes to be: the two ways of building it agree, and it installs from a tarball as in the workspace. */

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { native, nativeProblem } from './index.ts'

const directory = fileURLToPath(new URL('..', import.meta.url))
const skip = native === undefined && nativeProblem

interface BindingFile {
  targets: { sources: string[]; cflags: string[]; defines: string[] }[]
}

test('binding.gyp and build.mjs compile the same files in the same way', async () => {
  const parsed = JSON.parse(fs.readFileSync(join(directory, 'binding.gyp'), 'utf8')) as BindingFile
  const target = parsed.targets[0]
  assert.ok(target !== undefined)
  const files = fs.readdirSync(join(directory, 'c')).filter((name) => name.endsWith('.c'))
  assert.deepEqual(target.sources.toSorted(), files.map((name) => `c/${name}`).sort())
  assert.deepEqual(target.defines, ['NAPI_VERSION=9'])
  const script = `import { flags } from ${JSON.stringify(join(directory, 'build.mjs'))}; console.log(JSON.stringify(flags))`
  const flags = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  assert.deepEqual(target.cflags, JSON.parse(flags))
})

describe('install.mjs', { skip }, () => {
  /** The package as npm would unpack it, with the one dependency that its script uses beside it. */
  function unpacked(): { root: string; target: string } {
    const root = fs.mkdtempSync(join(tmpdir(), 'orbit-install-'))
    const target = join(root, 'node_modules', '@orbitkv', 'native')
    fs.mkdirSync(target, { recursive: true })
    for (const name of ['c', 'binding.gyp', 'build.mjs', 'install.mjs', 'package.json']) {
      fs.cpSync(join(directory, name), join(target, name), { recursive: true })
    }
    const nodeGypBuild = dirname(fileURLToPath(import.meta.resolve('node-gyp-build')))
    fs.cpSync(nodeGypBuild, join(root, 'node_modules', 'node-gyp-build'), { recursive: true })
    return { root, target }
  }

  const load = (root: string) =>
    spawnSync(process.execPath, ['-p', "require('node-gyp-build')('node_modules/@orbitkv/native').crc32cWay"], {
      cwd: root,
      encoding: 'utf8',
    })

  test('builds the addon where it was unpacked, and leaves a build that is there', () => {
    const { root, target } = unpacked()
    const run = spawnSync(process.execPath, ['install.mjs'], { cwd: target, encoding: 'utf8' })
    assert.deepEqual([run.status, run.stdout, run.stderr], [0, '', ''])
    assert.match(load(root).stdout, /^(sse4\.2|armv8|tables)$/m)
    const output = join(target, 'build', 'Release', 'orbitkv_native.node')
    const built = fs.statSync(output).mtimeMs
    assert.equal(spawnSync(process.execPath, ['install.mjs'], { cwd: target }).status, 0)
    assert.equal(fs.statSync(output).mtimeMs, built)
    fs.rmSync(root, { recursive: true })
  })

  test('where nothing can be built it says so in one line and ends well', () => {
    const { root, target } = unpacked()
    const env = { ...process.env, CC: 'no-such-compiler', PATH: join(root, 'nothing') }
    const run = spawnSync(process.execPath, ['install.mjs'], { cwd: target, encoding: 'utf8', env })
    assert.deepEqual([run.status, run.stderr], [0, ''])
    assert.match(
      run.stdout,
      /^@orbitkv\/native: the plain JavaScript disk takes over.*no C compiler.*npm rebuild[^\n]*\n$/,
    )
    assert.notEqual(load(root).status, 0)
    fs.rmSync(root, { recursive: true })
  })
})
