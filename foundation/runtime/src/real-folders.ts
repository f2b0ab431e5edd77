/**
 * What both real disks do alike, through node:fs: folders and names. The files and the lock are the subclass's.
 *
 * Names are made durable by fsync on the folder. Windows has no such call and needs none: NTFS journals names.
 */

import fs from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { Disk, DiskFile, DiskLock, OpenMode } from './disk.ts'
import { diskFailure, isErrno } from './disk-failure.ts'
import { diskErrors } from './errors.ts'

/** Data is its owner's: no other user of the machine may read it. */
const fileMode = 0o600

const openFlags: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
}

const fsync = promisify(fs.fsync)

export abstract class RealFolders implements Disk {
  abstract readonly kind: 'native' | 'javascript'
  abstract open(path: string, mode: OpenMode): DiskFile
  abstract lock(path: string): DiskLock

  exists(path: string): boolean {
    return attempt('look-up', path, () => fs.statSync(path, { throwIfNoEntry: false }) !== undefined)
  }

  list(directory: string): string[] {
    return attempt('listing', directory, () => fs.readdirSync(directory).sort())
  }

  // Not mkdir's own `recursive`: that says ENOENT where a file system without writing says EROFS.
  makeDirectory(path: string): void {
    try {
      fs.mkdirSync(path)
    } catch (error) {
      const parent = dirname(path)
      if (isErrno(error, 'EEXIST')) {
        // A link to nowhere is there, too, and is no folder.
        const found = attempt('look-up', path, () => fs.statSync(path, { throwIfNoEntry: false }))
        if (found?.isDirectory() !== true) throw diskErrors.not_a_directory({ path }, error)
      } else if (isErrno(error, 'ENOENT') && parent !== path && !this.exists(parent)) {
        this.makeDirectory(parent)
        this.makeDirectory(path)
      } else throw diskFailure(error, 'making', path)
    }
  }

  remove(path: string): void {
    attempt('removal', path, () => fs.unlinkSync(path))
  }

  async discard(path: string): Promise<void> {
    try {
      await fs.promises.unlink(path)
    } catch (error) {
      throw diskFailure(error, 'removal', path)
    }
  }

  rename(from: string, to: string): void {
    attempt('renaming', from, () => fs.renameSync(from, to))
  }

  async syncDirectory(path: string): Promise<void> {
    const directoryFlag = fs.constants.O_DIRECTORY as number | undefined
    if (directoryFlag === undefined) return
    const fd = attempt('opening', path, () => fs.openSync(path, fs.constants.O_RDONLY | directoryFlag))
    try {
      await fsync(fd)
    } catch (error) {
      throw diskFailure(error, 'sync', path)
    } finally {
      fs.closeSync(fd)
    }
  }

  freeBytes(path: string): number {
    return attempt('look-up', path, () => {
      const { bavail, bsize } = fs.statfsSync(path)
      return bavail * bsize
    })
  }
}

/** Opens a regular file; a folder is refused here, since reading it would fail only later. */
export function openDescriptor(path: string, mode: OpenMode): number {
  return attempt('opening', path, () => {
    const fd = fs.openSync(path, openFlags[mode], fileMode)
    if (mode === 'read' && fs.fstatSync(fd).isDirectory()) {
      fs.closeSync(fd)
      throw diskErrors.failed({ operation: 'opening', path, reason: 'it is a folder' })
    }
    return fd
  })
}

/** For a lock file: made if absent, its contents left alone. */
export function openOrCreateDescriptor(path: string): number {
  const flags = fs.constants.O_RDWR | fs.constants.O_CREAT
  return attempt('opening', path, () => fs.openSync(path, flags, fileMode))
}

function attempt<Result>(operation: string, path: string, run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    throw diskFailure(error, operation, path)
  }
}
