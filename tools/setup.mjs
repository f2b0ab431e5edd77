// @ts-check
/**
 * Sets the workspace up: `node tools/setup.mjs [--test]`. The first step of `npm start` and `npm test`.
 *
 * Plain JavaScript without dependencies: it runs on Node 18 in a fresh clone. It installs only what is missing or
 * stale, in this order: Debian packages (`--test` only), npm packages, the native addon, dist/ of every package.
 * A run with nothing to do takes well under a second. Install scripts are not run: npm may be told to refuse them,
 * so nothing here depends on them.
 */

import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'
import { installDebianPackages, onPath } from './debian.mjs'
import {
  binFolder,
  hashFiles,
  nodePackage,
  npmCommand,
  pinnedNode,
  platform,
  root,
  run,
  runTool,
  ToolError,
  toolEnvironment,
} from './toolchain.mjs'

const stampPath = join(root, 'node_modules', '.orbit-setup.json')

/**
 * @param {{ forTests?: boolean, dist?: boolean }} [options] `forTests`: also the Debian packages that only tests need;
 *   `dist`: also the built packages, which a program run from source does without
 */
export async function setup({ forTests = false, dist = true } = {}) {
  if (forTests) installDebianPackages()
  await installPackages()
  linkPinnedNode()
  await buildNative(forTests)
  if (dist) await build()
}

/**
 * `npm install`, not `npm ci`: with a lockfile in step (a tidy rule keeps it so) both give the same tree, but
 * `ci` begins by deleting node_modules, from which a server may be running.
 */
async function installPackages() {
  const wanted = JSON.stringify({ lockfile: hashFiles(['package-lock.json']), platform })
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === wanted) return
  console.log('setup: installing npm packages')
  const { command, args, env } = npmCommand()
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--no-progress']
  const code = await run(command, [...args, 'install', ...flags], { env, shell: command.endsWith('.cmd') })
  if (code !== 0) throw new ToolError(`npm install failed (exit code ${code}); see its messages above`)
  writeFileSync(stampPath, wanted)
}

/**
 * npm 9 and 10 take `.bin/node` away again when they drop the packages of the other platforms, which bring a
 * command of the same name. Without this link the scripts would run on the machine's own Node.
 */
function linkPinnedNode() {
  const carrier = nodePackage()
  const link = join(binFolder, 'node')
  if (!carrier || process.platform === 'win32' || existsSync(link)) return
  mkdirSync(binFolder, { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(relative(binFolder, join(root, 'node_modules', carrier.name, carrier.binary)), link)
}

/**
 * The script sees for itself whether there is something to do, and says in one line why it cannot. The server then
 * runs on the plain JavaScript disk; the tests must not, where there is a compiler: that would hide a broken addon.
 * @param {boolean} forTests
 */
async function buildNative(forTests) {
  const node = pinnedNode()
  const code = await run(node, ['foundation/native/build.mjs'], { env: toolEnvironment(node) })
  if (code === 0) return
  if (forTests && onPath('gcc')) throw new ToolError('the native addon does not build; see the line above')
  console.log('setup: the plain JavaScript disk takes over, slower')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runTool(async () => {
    await setup({ forTests: process.argv.includes('--test') })
    console.log('setup: ready')
    return 0
  })
}
