/** The file of users: read whole, replaced whole. Its lines have hashes of passwords, so only its owner may read what is written. */

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { UsersFile } from '@orbitkv/redis'

/** Bytes as characters: names and patterns need not be text. */
const encoding = 'latin1'
const ownerOnly = 0o600

export function usersFile(path: string): UsersFile {
  return {
    path,
    read: () => (existsSync(path) ? readFileSync(path, encoding) : ''),
    write(text) {
      const temporary = `${path}.tmp`
      // One that was left over may be open to others, or lead elsewhere.
      rmSync(temporary, { force: true })
      const file = openSync(temporary, 'wx', ownerOnly)
      try {
        writeFileSync(file, text, { encoding })
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(temporary, path)
    },
  }
}
