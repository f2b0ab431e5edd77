/**
 * Runs when npm installs this package, in the workspace as well as from a tarball, and never fails: without the addon
 * everything works in plain JavaScript, slower and without memory maps.
 *
 * In order: what is there already and loads (a prebuilt binary or an earlier build); one call of the C compiler
 * (build.mjs); node-gyp-build's own procedure, which runs node-gyp and may fetch headers.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build, findHeaders, isUpToDate, packageDirectory } from './build.mjs'

const require = createRequire(import.meta.url)

/** node-gyp may want to download headers; a machine without network must not hold up the installation for longer. */
const nodeGypMsMax = 180_000

/** In a process of its own, since a binary for another system may end the one that loads it. */
function loads() {
  const script = 'require(process.argv[1])(process.argv[2])'
  const parameters = ['-e', script, require.resolve('node-gyp-build'), packageDirectory]
  return spawnSync(process.execPath, parameters, { stdio: 'ignore' }).status === 0
}

function buildWithNodeGyp() {
  const headers = findHeaders()
  const env = { ...process.env }
  if (headers !== undefined) env.npm_config_nodedir = join(headers, '..', '..')
  const parameters = [require.resolve('node-gyp-build/bin.js')]
  const run = spawnSync(process.execPath, parameters, {
    cwd: packageDirectory,
    env,
    stdio: 'ignore',
    timeout: nodeGypMsMax,
  })
  return run.status === 0
}

function obtain() {
  const fromSource = process.env.npm_config_build_from_source === 'true'
  // In the workspace an earlier build may be older than the sources; an installed package has only what it came with.
  const stale = existsSync(join(packageDirectory, 'build', 'Release')) && !isUpToDate()
  if (!fromSource && !stale && loads()) return undefined
  const problem = build()
  if (problem === undefined && loads()) return undefined
  if (process.platform !== 'win32' && buildWithNodeGyp() && loads()) return undefined
  return problem ?? 'the built addon does not load'
}

const problem = obtain()
if (problem !== undefined) {
  console.log(
    `@orbitkv/native: the plain JavaScript disk takes over, slower; ${problem}. ` +
      'To get the addon: correct that, then npm rebuild @orbitkv/native',
  )
}
