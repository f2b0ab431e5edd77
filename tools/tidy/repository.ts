/**
 * The repository as the tidy rules see it: its text files, its packages, and what each file imports.
 *
 * A rule is a function from files to problems, each one line that begins with the path. Every rule is tested twice:
 * on this repository, where it must find nothing, and on a bad sample, where it must find something.
 */

import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { notOurs } from '../suite.mjs'
import { filesBelow, root } from '../toolchain.mjs'

export { root }

/** From what people start down to what has no policy: a package imports its own layer or one further right. */
export const layers = ['apps', 'serve', 'products', 'cluster', 'storage', 'foundation'] as const

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly license?: string
  readonly engines?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
}

export interface Package {
  /** Such as `storage/engine`. */
  readonly folder: string
  readonly manifest: Manifest
}

const textEndings = /\.(ts|mjs|js|c|h|md|json|jsonc|toml|yml|yaml|sh|gyp|txt)$/

/** Whether a file is a program of ours, in whatever language. */
export function isCode(path: string): boolean {
  return /\.(ts|mjs|js|c|h|sh)$/.test(path)
}

/** Tests, and the suites that several tests of a package share; a suite that is exported is no test. */
export function isTest(path: string): boolean {
  return /\.test\.ts$|-suite\.ts$/.test(path) || path.startsWith('tests/')
}

export function layerOf(path: string): (typeof layers)[number] | undefined {
  return layers.find((layer) => path.startsWith(`${layer}/`))
}

/** The package folder that a path lies in, `storage/engine` for `storage/engine/src/index.ts`. */
export function packageFolderOf(path: string): string | undefined {
  return layerOf(path) && path.split('/').slice(0, 2).join('/')
}

export function fileNamed(path: string, text: string): SourceFile {
  return { path, text }
}

/** All text files of the repository. */
export function repositoryFiles(): SourceFile[] {
  const paths = filesBelow('.', notOurs).filter((path) => textEndings.test(path) || basename(path) === 'LICENSE')
  return paths.map((path) => fileNamed(path, readFileSync(join(root, path), 'utf8')))
}

export function repositoryPackages(files: readonly SourceFile[]): Package[] {
  const manifests = files.filter(({ path }) => layerOf(path) && /^[^/]+\/[^/]+\/package\.json$/.test(path))
  return manifests.map(({ path, text }) => ({
    folder: path.replace('/package.json', ''),
    manifest: JSON.parse(text) as Manifest,
  }))
}

export function existsInRepository(path: string): boolean {
  return existsSync(join(root, path))
}

/** The text with comments blanked out, lines kept. Strings stay, and so does what looks like a comment in them. */
export function withoutComments(text: string): string {
  const piece = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
  return text.replace(piece, (found) => (/^\/[/*]/.test(found) ? found.replace(/[^\n]/g, ' ') : found))
}

/** The module names that a file imports, exports from, or loads. */
export function importsOf(text: string): string[] {
  const loading = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire(?:\.resolve)?\(\s*)(['"])([\w@#./:-]+)\1/g
  const found = withoutComments(text).matchAll(loading)
  return [...new Set([...found].map((match) => match[2] ?? ''))]
}

/** `@orbitkv/engine` for `@orbitkv/engine/suite`. */
export function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** One problem for each line of code (comments apart) that matches. */
export function linesMatching(file: SourceFile, pattern: RegExp, problem: string): string[] {
  const lines = withoutComments(file.text).split('\n')
  return lines.flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1}: ${problem}`] : []))
}
