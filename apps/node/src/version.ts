/** The version of this package, from its package.json. */

import { readFileSync } from 'node:fs'

interface Manifest {
  readonly version: string
}

// One level up from src and from dist alike.
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Manifest

export const version = manifest.version
