// @ts-check
/**
 * Builds packages to dist/: `node tools/build.mjs [package-folder]`, all of them or one with what it depends on.
 *
 * Each package compiles against the built declarations of those below it, as a user of the published package would,
 * so packages go in dependency order. A package is skipped when its sources and all that it depends on are unchanged
 * (.cache/build holds the hashes). dist/ is never emptied while it is rebuilt: a running program keeps its files,
 * and what no longer belongs there is removed afterwards.
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  filesBelow,
  hashFiles,
  pinnedNode,
  readJson,
  root,
  run,
  runTool,
  ToolError,
  workspacePackages,
} from './toolchain.mjs'

/** @typedef {import('./toolchain.mjs').WorkspacePackage} WorkspacePackage */

const stampFolder = '.cache/build'

/**
 * Builds what is out of date.
 * @param {{ only?: string, print?: (line: string) => void }} [options] `only`: a package folder, as in `apps/orbitkv`
 * @returns {Promise<number>} how many packages were built
 */
export async function build({ only, print = console.log } = {}) {
  const all = workspacePackages()
  const wanted = only === undefined ? all : withNeeds(all, only.replace(/\/+$/, ''))
  /** @type {Map<string, string>} name of each package that stands built, to its hash */
  const hashes = new Map()
  let builtCount = 0
  for (const one of wanted) {
    const missing = one.needs.find((name) => !hashes.has(name))
    if (!one.hasSource) print(`build: ${one.folder} skipped, it has no src/index.ts`)
    else if (missing) print(`build: ${one.folder} skipped, ${missing} is not built`)
    else {
      const hash = inputHash(one, hashes)
      if (!isUpToDate(one, hash)) {
        print(`build: ${one.folder}`)
        await compile(one)
        writeStamp(one, hash)
        builtCount += 1
      }
      hashes.set(one.name, hash)
    }
  }
  return builtCount
}

/** @param {WorkspacePackage[]} all @param {string} folder @returns {WorkspacePackage[]} */
function withNeeds(all, folder) {
  const target = all.find((one) => one.folder === folder)
  if (!target) throw new ToolError(`${folder} is not a package; there are: ${all.map((one) => one.folder).join(', ')}`)
  const names = new Set([target.name])
  // Dependency order, walked backwards: a package is seen before everything that it needs.
  for (const one of [...all].reverse()) if (names.has(one.name)) for (const need of one.needs) names.add(need)
  return all.filter((one) => names.has(one.name))
}

/** All but the tests and the suites that only they use, as the package's tsconfig.json excludes them. */
const testSource = /\.test\.ts$|\/src\/[^/]+-suite\.ts$/

/** @param {WorkspacePackage} one */
function sourcesOf(one) {
  return filesBelow(`${one.folder}/src`).filter((path) => path.endsWith('.ts') && !testSource.test(path))
}

/** @param {WorkspacePackage} one @param {Map<string, string>} hashes */
function inputHash(one, hashes) {
  const settings = ['tsconfig.base.json', `${one.folder}/tsconfig.json`, `${one.folder}/package.json`]
  const compiler = readJson(join(root, 'node_modules/typescript/package.json')).version
  return hashFiles([...settings, ...sourcesOf(one)], [compiler, ...one.needs.map((name) => hashes.get(name) ?? '')])
}

/** @param {WorkspacePackage} one */
function stampPath(one) {
  return join(root, stampFolder, one.folder.replaceAll('/', '+'))
}

/** @param {WorkspacePackage} one @param {string} hash */
function isUpToDate(one, hash) {
  if (!existsSync(stampPath(one)) || readFileSync(stampPath(one), 'utf8') !== hash) return false
  return outputsOf(one).every((path) => existsSync(join(root, path)))
}

/** @param {WorkspacePackage} one @param {string} hash */
function writeStamp(one, hash) {
  mkdirSync(dirname(stampPath(one)), { recursive: true })
  writeFileSync(stampPath(one), hash)
}

/** What a build leaves in dist/: a module and its declarations for each source. @param {WorkspacePackage} one */
function outputsOf(one) {
  return sourcesOf(one).flatMap((path) => {
    const stem = path.replace(`${one.folder}/src/`, `${one.folder}/dist/`).replace(/\.ts$/, '')
    return path.endsWith('.d.ts') ? [] : [`${stem}.js`, `${stem}.d.ts`]
  })
}

/** @param {WorkspacePackage} one */
async function compile(one) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const code = await run(pinnedNode(), [compiler, '-p', join(one.folder, 'tsconfig.json')])
  if (code !== 0) throw new ToolError(`${one.folder} does not build; see the messages above`)
  const outputs = new Set(outputsOf(one))
  for (const path of filesBelow(`${one.folder}/dist`)) if (!outputs.has(path)) rmSync(join(root, path))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // To stderr: as `prepack` this runs within `npm pack --json`, whose standard output is read by programs.
  const print = console.error
  await runTool(async () => {
    const only = process.argv[2]
    const builtCount = await build(only === undefined ? { print } : { only, print })
    if (builtCount === 0) print('build: everything is up to date')
    return 0
  })
}
