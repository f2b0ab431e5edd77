/**
 * Runs the real launcher of `orbit` in processes of its own, for the tests of this folder.
 *
 * Each run gets a folder to work in, none of the caller's ORBIT_* variables, and no colours. Waiting is on events: on
 * output, on the end of a process, on a change of a file.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { differences, type Fields } from '@orbitkv/node'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const launcher = join(root, 'apps', 'node', 'bin', 'orbit.js')
/** Real exchange events; tests that need them are skipped by name where they are not there. */
export const ordersFile = join(root, '..', 'shared', 'data', 'orders.csv')
export const noOrders = existsSync(ordersFile) ? false : `${ordersFile} is not there`

/** A folder that goes away at the end of the test. */
export function temporaryFolder(context: TestContext): { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'orbit-cli-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return { path }
}

/**
 * In a checkout the launcher takes the workspace's Node. Tests that run on another one are about that other one: given
 * these flags, the launcher goes on in the Node that runs it.
 */
const isPinned = process.execPath.startsWith(join(root, 'node_modules'))
const otherNodeFlags = ['--conditions=orbit-source', '--disable-warning=ExperimentalWarning']

export interface RunOptions {
  readonly folder?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  /** Flags of Node for the launcher itself. */
  readonly nodeFlags?: readonly string[]
}

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Standard output as bytes. */
  readonly bytes: Buffer
}

/** Processes of tests that failed half-way must not outlive them. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class Run {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  #stdout = Buffer.alloc(0)
  #stderr = ''

  constructor(
    args: readonly string[],
    { folder = tmpdir(), env = {}, input, nodeFlags = isPinned ? [] : otherNodeFlags }: RunOptions = {},
  ) {
    this.child = spawn(process.execPath, [...nodeFlags, launcher, ...args], {
      cwd: folder,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    running.add(this.child)
    this.child.stdout?.on('data', (bytes: Buffer) => {
      this.#stdout = Buffer.concat([this.#stdout, bytes])
    })
    this.child.stderr?.on('data', (bytes: Buffer) => {
      this.#stderr += bytes
    })
    // A command that does not read its input may be gone before all of it is written.
    this.child.stdin?.on('error', () => undefined)
    if (input === undefined) this.child.stdin?.end()
    else this.child.stdin?.end(input)
    this.finished = once(this.child, 'close').then(([code, signal]) => this.#end(code, signal))
  }

  #end(code: unknown, signal: unknown): Finished {
    running.delete(this.child)
    return {
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout.toString('utf8'),
      stderr: this.#stderr,
      bytes: this.#stdout,
    }
  }

  /** Resolves once standard output (or error) matches, with the match; fails if the process ends first. */
  async says(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    const source = this.child[stream]
    assert.ok(source !== null)
    for (;;) {
      const match = pattern.exec(stream === 'stdout' ? this.#stdout.toString('utf8') : this.#stderr)
      if (match !== null) return match
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        const { stdout, stderr } = await this.finished
        if (pattern.test(stream === 'stdout' ? stdout : stderr)) continue
        assert.fail(`ended without ${pattern}: ${stdout}${stderr}`)
      }
      await Promise.race([once(source, 'data'), once(this.child, 'close')])
    }
  }
}

/** Runs a command to its end. */
export function orbit(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Run(args, options).finished
}

/** As `orbit`, for a command that must succeed. */
export async function orbitOk(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const finished = await orbit(args, options)
  assert.equal(finished.code, 0, `orbit ${args.join(' ')}: ${finished.stderr}`)
  return finished
}

/** Runs a command with --json that must succeed; its one document, which must fit the schema. */
export async function orbitJson<Document>(
  args: readonly string[],
  fields: Fields,
  options: RunOptions = {},
): Promise<Document> {
  const { stdout } = await orbitOk([...args, '--json'], options)
  return parseDocument(stdout, fields) as Document
}

/** One JSON document on one line, held against its schema. */
export function parseDocument(text: string, fields: Fields): unknown {
  assert.match(text, /^[^\n]+\n$/, 'one document on one line')
  const document: unknown = JSON.parse(text)
  assert.deepEqual(differences(document, fields), [], text)
  return document
}

export interface Server {
  readonly run: Run
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Stops it in good order and tells how it ended. */
  stop(): Promise<Finished>
}

/** A server on a free port, ready. The caller stops it. */
export async function startServer(args: readonly string[], options: RunOptions = {}): Promise<Server> {
  const run = new Run(['serve', '--redis-port', '0', '--json', ...args], options)
  const [line] = await run.says(/^.*\n/)
  const { redis, pid } = JSON.parse(line) as { redis: { url: string; port: number }; pid: number }
  return {
    run,
    url: redis.url,
    port: redis.port,
    pid,
    stop() {
      run.child.kill('SIGTERM')
      return run.finished
    },
  }
}

/** Resolves after so many changes of files in a folder, or when `orElse` does. */
export async function afterChanges(folder: string, changes: number, orElse: Promise<unknown>): Promise<void> {
  const watcher = watch(folder)
  const enough = new Promise<void>((resolve) => {
    let left = changes
    watcher.on('change', () => {
      if (--left === 0) resolve()
    })
  })
  await Promise.race([enough, orElse])
  watcher.close()
}

export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !name.startsWith('ORBIT_') && !['NO_COLOR', 'FORCE_COLOR', 'NODE_OPTIONS', 'NODE_TEST_CONTEXT'].includes(name),
  )
  return Object.fromEntries(kept)
}
