// @ts-check
/**
 * `npm run test:nodes`: the suite on every supported Node, 22.18, the pinned 24 and 26; `--all` includes the slow
 * tests. One line for each Node; the output of a run is shown only where it failed.
 *
 * The two others are installed on demand below .cache/nodes, outside the workspace's own tree and lockfile. One
 * native addon serves all: it is built against Node-API, which does not change between them.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setup } from './setup.mjs'
import { findTests, runTests } from './suite.mjs'
import { nodePackage, npmCommand, pinnedNode, root, run, runTool, ToolError } from './toolchain.mjs'

/** The oldest that `engines` allows, and the newest tested; the one between them is pinned in package.json. */
const oldestVersion = '22.18.0'
const newestVersion = '26.10.0'

await runTool(async () => {
  const all = process.argv.includes('--all')
  await setup({ forTests: all, dist: all })
  const files = findTests({ slow: all })
  const oldest = await installedNode(oldestVersion)
  const newest = await installedNode(newestVersion)
  let failedCount = 0
  for (const node of [oldest, pinnedNode(), newest]) {
    const { exitCode, totals, output } = await runTests(files, { node, isQuiet: true })
    const passed = exitCode === 0 && totals.tests > 0
    if (!passed) {
      console.log(output)
      failedCount += 1
    }
    const counts = `${totals.tests} tests, ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`
    console.log(`node ${versionOf(node)}: ${passed ? 'passed' : 'FAILED'}, ${counts}`)
  }
  return failedCount === 0 ? 0 : 1
})

/** @param {string} version @returns {Promise<string>} the path of that Node */
async function installedNode(version) {
  const carrier = nodePackage()
  if (!carrier) throw new ToolError('no package carries Node for this platform; run npm test under each Node by hand')
  const folder = join(root, '.cache', 'nodes', version)
  const path = join(folder, 'node_modules', carrier.name, carrier.binary)
  if (existsSync(path) && versionOf(path) === `v${version}`) return path
  console.log(`test: installing Node ${version} into .cache/nodes`)
  mkdirSync(folder, { recursive: true })
  // A manifest of its own keeps npm from taking the workspace for the root.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const { command, args, env } = npmCommand()
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const wanted = `${carrier.name}@${version}`
  const code = await run(command, [...args, 'install', '--prefix', folder, ...flags, wanted], { cwd: folder, env })
  if (code !== 0) throw new ToolError(`${wanted} cannot be installed (exit code ${code}); see npm's messages above`)
  return path
}

/** @param {string} node */
function versionOf(node) {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
}
