/**
 * Tidy rule: a package imports its own layer, without cycles, or one further down; and its package.json names
 * exactly what it imports. Packages import each other by name, never by path.
 */

import assert from 'node:assert/strict'
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { test } from 'node:test'
import {
  fileNamed,
  importsOf,
  isCode,
  isTest,
  layerOf,
  layers,
  type Package,
  packageFolderOf,
  packageNameOf,
  repositoryFiles,
  repositoryPackages,
  type SourceFile,
} from './repository.ts'

/** Imports that climb a layer, reach into another package by path, or lead round in a circle. */
export function checkLayers(files: readonly SourceFile[], packages: readonly Package[]): string[] {
  const folderOfName = new Map(packages.map((one) => [one.manifest.name, one.folder]))
  const problems: string[] = []
  const edges = new Map<string, Set<string>>(packages.map((one) => [one.folder, new Set()]))
  for (const file of files.filter(({ path }) => isCode(path))) {
    const from = packageFolderOf(file.path)
    for (const specifier of importsOf(file.text)) {
      const byPath = specifier.startsWith('.')
      const to = byPath
        ? packageFolderOf(posix.join(posix.dirname(file.path), specifier))
        : folderOfName.get(packageNameOf(specifier))
      if (byPath && to !== from) problems.push(`${file.path}: imports ${specifier}, in another package, by path`)
      if (from === undefined || to === undefined || from === to) continue
      if (depth(to) < depth(from)) problems.push(`${file.path}: imports ${specifier}, of a layer above its own`)
      edges.get(from)?.add(to)
    }
  }
  return [...problems, ...cyclesIn(edges)]
}

function depth(path: string): number {
  const layer = layerOf(path)
  return layer === undefined ? -1 : layers.indexOf(layer)
}

/** Removes packages that import no remaining one until none is left, or only circles are. */
function cyclesIn(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const remaining = new Set(edges.keys())
  const imports = (folder: string) => [...(edges.get(folder) ?? [])].filter((other) => remaining.has(other))
  for (let before = -1; before !== remaining.size; ) {
    before = remaining.size
    for (const folder of remaining) if (imports(folder).length === 0) remaining.delete(folder)
  }
  return [...remaining].map((folder) => `${folder}: is part of a circle of imports, with ${imports(folder).join(', ')}`)
}

/** Dependencies that are imported and not declared, or declared and not imported. */
export function checkDependencies(files: readonly SourceFile[], packages: readonly Package[]): string[] {
  return packages.flatMap(({ folder, manifest }) => {
    const { dependencies, optionalDependencies, peerDependencies } = manifest
    const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
    const own = files.filter(({ path }) => path.startsWith(`${folder}/`) && isCode(path) && !isTest(path))
    // A message of ours may name a package (`install ${name}`), but only an import makes it needed.
    const used = new Set(
      own
        .flatMap(({ text }) => importsOf(text))
        .filter(isPackage)
        .map(packageNameOf),
    )
    used.delete(manifest.name)
    return [
      ...[...used].filter((name) => !declared.includes(name)).map((name) => `${folder}: imports ${name}, undeclared`),
      ...declared.filter((name) => !used.has(name)).map((name) => `${folder}: declares ${name}, never imported`),
    ]
  })
}

function isPackage(specifier: string): boolean {
  return !specifier.startsWith('.') && !specifier.startsWith('#') && !isBuiltin(specifier)
}

const files = repositoryFiles()
const packages = repositoryPackages(files)

test('packages import only downward, by name, without circles', () => {
  assert.deepEqual(checkLayers(files, packages), [])
})

test('package.json names exactly what each package imports', () => {
  assert.deepEqual(checkDependencies(files, packages), [])
})

const manifest = (name: string, dependencies: Record<string, string> = {}) => ({ name, version: '1.0.0', dependencies })
const sample: Package[] = [
  { folder: 'apps/top', manifest: manifest('top') },
  { folder: 'storage/left', manifest: manifest('left') },
  { folder: 'storage/right', manifest: manifest('right', { left: '1.0.0', 'not-used': '1.0.0' }) },
]

test('canary: an import that climbs, one by path, and a circle are found', () => {
  const climbs = fileNamed('storage/left/src/a.ts', `import { top } from 'top'`)
  assert.match(checkLayers([climbs], sample).join(), /layer above/)
  const byPath = fileNamed('apps/top/src/a.ts', `import '../../../storage/left/src/index.ts'`)
  assert.match(checkLayers([byPath], sample).join(), /by path/)
  const circle = [
    fileNamed('storage/left/src/a.ts', `export * from 'right/part'`),
    fileNamed('storage/right/src/a.ts', `const left = await import('left')`),
  ]
  assert.equal(checkLayers(circle, sample).filter((line) => line.includes('circle')).length, 2)
  assert.deepEqual(checkLayers([fileNamed('apps/top/src/a.ts', `// from 'left'\nimport 'left'`)], sample), [])
})

test('canary: missing and unused dependencies are found', () => {
  const found = checkDependencies([fileNamed('storage/right/src/a.ts', `import 'left'\nimport 'lodash/fp'`)], sample)
  assert.deepEqual(found, [
    'storage/right: imports lodash, undeclared',
    'storage/right: declares not-used, never imported',
  ])
})
