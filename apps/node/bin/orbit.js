#!/usr/bin/env node
/**
 * The launcher of `orbit`: finds the Node that runs the command line and becomes it.
 *
 * Plain JavaScript that any Node from 18 on can run, since this Node may be older than the project needs.
 * - Published (only dist is here): imports dist/main.js, if this Node is new enough.
 * - In a checkout (src/main.ts is here): runs src/main.ts with the workspace's own Node.
 *
 * Running TypeScript from a checkout takes the flag --conditions, which Node reads only when it starts: hence a second
 * Node. Where Node can replace itself (process.execve: 22.15 and later, not on Windows) there is no second process: same
 * pid, same terminal, signals and exit code are exact by nature. An older Node cannot, so there it starts a child that
 * inherits stdio, with one pipe between the two (`ipc`):
 * - A signal that reaches the launcher is passed as a message and not as a signal. Ctrl-C on a terminal reaches both
 *   processes by itself; a passed signal would then count twice, and the second of two means "stop at once". With
 *   messages the child takes the larger of the two counts (src/interrupts.ts).
 * - When the launcher dies, however it dies, the pipe closes and the child stops as if told by SIGTERM: no orphan.
 * - The child's exit code, or the signal that ended it, becomes the launcher's own.
 */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const nodeOldest = [22, 18]
// As "configuration" in src/exit-codes.ts: what this machine has installed does not fit.
const exitConfiguration = 3
// Not SIGHUP: with no handler here or in the child, `nohup orbit serve` works; without nohup the launcher ends, the pipe closes.
const passedSignals = ['SIGINT', 'SIGTERM']
const flags = ['--conditions=orbit-source', '--disable-warning=ExperimentalWarning']

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)))
const source = join(packageFolder, 'src', 'main.ts')
const built = join(packageFolder, 'dist', 'main.js')

if (existsSync(source)) await runSource()
else if (!suitable(process.versions.node)) refuse()
else await import(built)

async function runSource() {
  if (process.execArgv.includes(flags[0]) && suitable(process.versions.node)) {
    await import(source)
    return
  }
  const node = workspaceNode() ?? (suitable(process.versions.node) ? process.execPath : undefined)
  if (node === undefined) {
    refuse()
    return
  }
  const args = [...flags, source, ...process.argv.slice(2)]
  if (typeof process.execve !== 'function' || process.platform === 'win32') runChild(node, args)
  // The variables are named: without them Node 22.18 starts with none at all.
  else process.execve(node, [node, ...args], process.env)
}

/** The Node that the workspace installs, looked for in every node_modules from here upward. */
function workspaceNode() {
  const names = [
    join(`node-${process.platform}-${process.arch}`, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'),
    join('.bin', 'node'),
  ]
  for (let folder = packageFolder; ; folder = dirname(folder)) {
    for (const name of names) {
      const path = join(folder, 'node_modules', name)
      if (existsSync(path)) return path
    }
    if (folder === dirname(folder)) return undefined
  }
}

function runChild(node, args) {
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  for (const signal of passedSignals) {
    process.on(signal, () => {
      // The child may be ending already: then there is nobody left to tell.
      if (child.connected) child.send({ signal }, () => undefined)
    })
  }
  child.on('error', (error) => {
    process.stderr.write(
      `orbit: cannot start ${node} (${error.message}); run npm install in the workspace (cli.no_node)\n`,
    )
    process.exitCode = exitConfiguration
  })
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exit(code)
    }
    for (const passed of passedSignals) process.removeAllListeners(passed)
    process.kill(process.pid, signal)
    // Only reached where a signal does not end the process, as on Windows.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1000)
  })
}

function suitable(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > nodeOldest[0] || (major === nodeOldest[0] && minor >= nodeOldest[1])
}

function refuse() {
  process.stderr.write(
    `orbit: Node ${process.versions.node} is too old; use Node ${nodeOldest.join('.')} or later, or run npm install in a checkout (cli.no_node)\n`,
  )
  process.exitCode = exitConfiguration
}
