/**
 * The peers: which are here, and how to get those that are not. Packages of npm are installed on demand into `peers/`, a private
 * package outside the workspace, so that nobody who works on OrbitKV has to have them; those in C and C++ are built against Debian's
 * packages. A peer that cannot be had is left out and named.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npmCommand } from '../../tools/toolchain.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const peersFolder = join(here, 'peers')
const nativeFolder = join(here, 'native')
const buildFolder = join(here, 'build')

/** Loads a package of `peers/`. */
export function requirePeer(name: string): unknown {
  return createRequire(join(peersFolder, 'package.json'))(name)
}

/** Programs in C and C++, and what building them takes. */
const programs = {
  lmdb: {
    source: 'lmdb.c',
    compiler: 'gcc',
    flags: ['-llmdb'],
    header: '/usr/include/lmdb.h',
    debian: 'gcc liblmdb-dev',
  },
  rocksdb: {
    source: 'rocksdb.cc',
    compiler: 'g++',
    flags: ['-std=c++17', '-lrocksdb'],
    header: '/usr/include/rocksdb/db.h',
    debian: 'g++ librocksdb-dev',
  },
  disk: { source: 'disk.c', compiler: 'gcc', flags: [], header: '/usr/include/stdio.h', debian: 'gcc libc6-dev' },
} as const
export type ProgramName = keyof typeof programs

/** The built program, or why there is none. */
export function buildProgram(name: ProgramName): { readonly path: string } | { readonly missing: string } {
  const { source, compiler, flags, header, debian } = programs[name]
  const remedy = `Debian: apt-get install ${debian}`
  if (!existsSync(header)) return { missing: `${header} is not there (${remedy})` }
  const path = join(buildFolder, name)
  const sources = [source, 'steps.h'].map((file) => join(nativeFolder, file))
  const isBuilt = existsSync(path) && sources.every((file) => statSync(file).mtimeMs < statSync(path).mtimeMs)
  if (isBuilt) return { path }
  mkdirSync(buildFolder, { recursive: true })
  try {
    const args = ['-O3', '-march=native', join(nativeFolder, source), ...flags, '-o', path]
    execFileSync(compiler, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    return { path }
  } catch (error) {
    return { missing: `${compiler} does not build ${source}: ${(error as Error).message} (${remedy})` }
  }
}

/** Installs the packages of `peers/` where they are missing or stale; why that failed, or undefined. */
export function installPeers(note: (text: string) => void): string | undefined {
  const lockfile = readFileSync(join(peersFolder, 'package-lock.json'), 'utf8')
  const stamp = join(peersFolder, 'node_modules', '.orbit-peers.json')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfile) return undefined
  note('installing the peers of npm into bench/engines/peers')
  const { command, args, env } = npmCommand()
  try {
    // All of them bring their binaries along: no install script is needed, and nothing is fetched but from the registry.
    const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync(command, [...args, ...flags], { cwd: peersFolder, env, stdio: ['ignore', 'ignore', 'pipe'] })
    writeFileSync(stamp, lockfile)
    return undefined
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim() ?? (error as Error).message
    return `npm ci in bench/engines/peers fails: ${said}`
  }
}

/** Why a package of `peers/` does not load here, or undefined. In a process of its own: a wrong binary may end it. */
export function peerProblem(name: string): string | undefined {
  const script = 'require(require.resolve(process.argv[1], { paths: [process.argv[2]] }))'
  try {
    execFileSync(process.execPath, ['-e', script, name, peersFolder], { stdio: ['ignore', 'ignore', 'pipe'] })
    return undefined
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString() ?? ''
    return `${name} does not load: ${/Error: .*/.exec(said)?.[0] ?? 'its process ended'}`
  }
}

export function peerVersion(name: string): string {
  const folder = join(peersFolder, 'node_modules', name)
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
}
