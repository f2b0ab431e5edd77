/**
 * Compiles the addon into build/Release/orbitkv_native.node. Plain JavaScript that runs on Node 18 before anything else
 * of the workspace does. `node foundation/native/build.mjs` skips the work when the result is newer than every source;
 * `--force` does not. Ends with status 1 and one line on stderr when it cannot build.
 *
 * It calls the C compiler itself rather than node-gyp: the addon is a handful of C files against Node-API, whose
 * headers are the same for every Node since 18.17, so that one compiler call is the whole build. node-gyp would want
 * Python, make and, more often than not, a download of headers. binding.gyp says the same for node-gyp and prebuildify;
 * a test keeps the two lists of sources and flags equal.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const packageDirectory = dirname(fileURLToPath(import.meta.url))
export const outputFile = join(packageDirectory, 'build', 'Release', 'orbitkv_native.node')

/** As binding.gyp has them. */
export const flags = ['-O3', '-std=c11', '-Wall', '-Wextra', '-fvisibility=hidden']

/** The folder with node_api.h: of the pinned Node of the workspace, of the Node that runs this, or of the system. */
export function findHeaders() {
  const candidates = []
  const platformPackage = `node-${process.platform}-${process.arch}`
  for (let folder = packageDirectory; folder !== dirname(folder); folder = dirname(folder)) {
    candidates.push(join(folder, 'node_modules', platformPackage, 'include', 'node'))
  }
  candidates.push(resolve(realpathSync(process.execPath), '..', '..', 'include', 'node'))
  if (process.env.npm_config_nodedir) candidates.push(join(process.env.npm_config_nodedir, 'include', 'node'))
  candidates.push('/usr/include/node', '/usr/local/include/node')
  return candidates.find((folder) => existsSync(join(folder, 'node_api.h')))
}

function sources() {
  const folder = join(packageDirectory, 'c')
  return readdirSync(folder).map((name) => join(folder, name))
}

export function isUpToDate() {
  if (!existsSync(outputFile)) return false
  const builtAt = statSync(outputFile).mtimeMs
  return [...sources(), fileURLToPath(import.meta.url)].every((file) => statSync(file).mtimeMs <= builtAt)
}

/** Compiles; returns undefined, or in one line why it could not. */
export function build() {
  if (process.platform === 'win32') return 'there is no native addon for Windows'
  const headers = findHeaders()
  if (headers === undefined) return 'the headers of Node are missing (node_api.h; Debian: apt-get install libnode-dev)'
  const compilers = process.env.CC ? [process.env.CC] : ['cc', 'gcc', 'clang']
  const compiler = compilers.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
  if (compiler === undefined) return `no C compiler (${compilers.join(', ')}; Debian: apt-get install gcc libc6-dev)`
  mkdirSync(dirname(outputFile), { recursive: true })
  // Written beside and moved into place, so that a process that is loading the old one is not disturbed.
  const temporary = `${outputFile}.${process.pid}`
  const linking = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-lpthread']
  const files = sources().filter((file) => file.endsWith('.c'))
  const parameters = [...flags, '-shared', '-fPIC', '-DNAPI_VERSION=9', '-I', headers, ...files, ...linking]
  const run = spawnSync(compiler, [...parameters, '-o', temporary], { encoding: 'utf8' })
  if (run.status !== 0) {
    rmSync(temporary, { force: true })
    const text = `${run.stderr ?? ''}`.split('\n').find((line) => line.includes('error')) ?? `status ${run.status}`
    return `${compiler} failed: ${text.trim()}`
  }
  renameSync(temporary, outputFile)
  return undefined
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  if (process.argv.includes('--force') || !isUpToDate()) {
    const problem = build()
    if (problem !== undefined) {
      console.error(`the native addon was not built: ${problem}`)
      process.exitCode = 1
    }
  }
}
