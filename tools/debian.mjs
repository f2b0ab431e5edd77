// @ts-check
/**
 * The Debian packages that the tests need, and their installation through apt-get.
 *
 * Only `npm test` comes here; `npm start` never installs system packages. It installs as root on Debian and its
 * kin; elsewhere it says what is missing, and the tests that need it skip by name. A server that comes as a package
 * must not be left running: service starts are forbidden (policy-rc.d, exit 101) while packages are installed.
 */

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ToolError } from './toolchain.mjs'

/** What is looked for: a command on the PATH or a file; `debian` is the package that brings it. */
const needs = [
  { command: 'redis-server', debian: 'redis-server', why: 'the server that ours is compared with' },
  { command: 'redis-cli', debian: 'redis-tools', why: 'a client in the tests' },
  { command: 'redis-benchmark', debian: 'redis-tools', why: 'a client in the tests' },
  { command: 'prometheus', debian: 'prometheus', why: 'scrapes the metrics in the tests' },
  { command: 'promtool', debian: 'prometheus', why: 'checks the metrics in the tests' },
  { command: 'gcc', debian: 'gcc', why: 'builds the native addon' },
  { file: '/usr/include/stdio.h', debian: 'libc6-dev', why: 'builds the native addon' },
]

const policyPath = '/usr/sbin/policy-rc.d'
const policyAside = '/usr/sbin/policy-rc.d.orbitkv-saved'

/**
 * Installs what is missing, or says what is.
 * @param {(line: string) => void} [print]
 * @returns {boolean} whether something was installed
 */
export function installDebianPackages(print = console.log) {
  const missing = needs.filter((need) => (need.command ? !onPath(need.command) : !existsSync(need.file ?? '')))
  if (missing.length === 0) return false
  const packages = [...new Set(missing.map((need) => need.debian))]
  const what = missing.map((need) => `${need.command ?? need.file} (${need.why})`).join(', ')
  if (!existsSync('/etc/debian_version') || !onPath('apt-get')) {
    print(`setup: missing: ${what}; tests that need them are skipped`)
    return false
  }
  const line = `apt-get install --yes --no-install-recommends ${packages.join(' ')}`
  if (process.getuid?.() !== 0) {
    print(`setup: missing: ${what}; tests that need them are skipped. To install them, as root: ${line}`)
    return false
  }
  print(`setup: installing Debian packages: ${packages.join(', ')} (missing: ${what})`)
  withoutServiceStarts(() => {
    aptGet(['update'])
    aptGet(['install', '--yes', '--no-install-recommends', ...packages])
  })
  return true
}

/** @param {string} command */
export function onPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder || '.', command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Shows what apt-get says only if it fails: a hundred lines about unpacking help nobody. @param {string[]} args */
function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['-o', 'Dpkg::Use-Pty=0', '--quiet=2']
  const { status, error, stdout, stderr } = spawnSync('apt-get', [...options, ...args], { encoding: 'utf8', env })
  if (!error && status === 0) return
  console.error(`${stdout ?? ''}${stderr ?? ''}`)
  throw new ToolError(`apt-get ${args[0]} failed (${error?.message ?? `exit code ${status}`}); see its messages above`)
}

/** @param {() => void} action */
function withoutServiceStarts(action) {
  // An interrupt reaches apt-get too, which stops; we stay until the policy of before is back.
  const stay = () => {}
  process.on('SIGINT', stay).on('SIGTERM', stay)
  const hadPolicy = existsSync(policyPath)
  if (hadPolicy) renameSync(policyPath, policyAside)
  try {
    writeFileSync(policyPath, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    action()
  } finally {
    rmSync(policyPath, { force: true })
    if (hadPolicy) renameSync(policyAside, policyPath)
    process.off('SIGINT', stay).off('SIGTERM', stay)
  }
}
