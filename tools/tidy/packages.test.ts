/**
 * Tidy rules for packages: each has the files that every package has and the fields that npm needs, all share one
 * version, the lockfile is in step with the manifests, and every dependency from outside has its reason written down.
 */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  existsInRepository,
  type Manifest,
  type Package,
  repositoryFiles,
  repositoryPackages,
  root,
} from './repository.ts'

const filesOfAPackage = ['README.md', 'src/index.ts', 'tsconfig.json']
const nodeRange = '>=22.18.0'
const license = 'Apache-2.0'

export function checkPackages(packages: readonly Package[], exists: (path: string) => boolean): string[] {
  const versions = new Map(packages.map(({ manifest }) => [manifest.name, manifest.version]))
  return packages.flatMap(({ folder, manifest }) => {
    const problems = filesOfAPackage.filter((name) => !exists(`${folder}/${name}`)).map((name) => `has no ${name}`)
    if (manifest.engines?.node !== nodeRange) problems.push(`engines.node is not ${nodeRange}`)
    if (manifest.license !== license) problems.push(`its license is not ${license}`)
    for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
      const version = versions.get(name)
      if (version !== undefined && version !== range) problems.push(`wants ${name} ${range}, which is at ${version}`)
    }
    return problems.map((problem) => `${folder}: ${problem}`)
  })
}

interface Lockfile {
  readonly packages: Readonly<Record<string, Omit<Manifest, 'name' | 'version'>>>
}

/** Manifests that ask for something else than the lockfile was made from. */
export function checkLockfile(lockfile: Lockfile, packages: readonly Package[]): string[] {
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'] as const
  return packages.flatMap(({ folder, manifest }) => {
    const locked = lockfile.packages[folder]
    const differs = kinds.filter((kind) => sorted(manifest[kind]) !== sorted(locked?.[kind]))
    return differs.map((kind) => `package-lock.json: ${kind} of ${folder || 'the root'} differ; run npm install`)
  })
}

function sorted(dependencies: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify(Object.entries(dependencies).sort())
}

/** Dependencies from outside without a line that begins "| `name`" in the page that gives the reasons. */
export function checkReasons(page: string, packages: readonly Package[]): string[] {
  const own = new Set(packages.map(({ manifest }) => manifest.name))
  const all = packages.flatMap(({ manifest }) => {
    const { dependencies, devDependencies, optionalDependencies, overrides } = manifest
    return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies, ...overrides })
  })
  const outside = [...new Set(all)].filter((name) => !own.has(name))
  const written = new Set([...page.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? ''))
  return [
    ...outside.filter((name) => !written.has(name)).map((name) => `${name}: no line in ${reasonsPath}`),
    ...[...written].filter((name) => !outside.includes(name)).map((name) => `${reasonsPath}: ${name} is not used`),
  ]
}

const reasonsPath = 'docs/decisions/dependencies.md'
const packages = repositoryPackages(repositoryFiles())
const workspace: Package = { folder: '', manifest: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) }

test('every package has its files and fields', () => {
  assert.deepEqual(checkPackages(packages, existsInRepository), [])
})

test('the lockfile is in step with the manifests', () => {
  const lockfile = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  assert.deepEqual(checkLockfile(lockfile, [workspace, ...packages]), [])
})

test('every dependency from outside has its reason', () => {
  const page = readFileSync(join(root, reasonsPath), 'utf8')
  assert.deepEqual(checkReasons(page, [workspace, ...packages]), [])
})

test('canary: a bare package, a stale lockfile and a dependency without reason are found', () => {
  const left: Package = { folder: 'storage/left', manifest: { name: 'left', version: '2.0.0' } }
  const right: Package = {
    folder: 'storage/right',
    manifest: {
      name: 'right',
      version: '2.0.0',
      license,
      engines: { node: nodeRange },
      dependencies: { left: '1.0.0' },
    },
  }
  assert.equal(checkPackages([left], () => false).length, filesOfAPackage.length + 2)
  assert.deepEqual(checkPackages([left, right], () => true).slice(2), [
    'storage/right: wants left 1.0.0, which is at 2.0.0',
  ])
  assert.equal(checkLockfile({ packages: { 'storage/right': {} } }, [right]).length, 1)
  assert.deepEqual(checkReasons('| `gone` | x |', [right]).length, 2)
})
