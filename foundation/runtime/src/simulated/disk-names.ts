/**
 * The names of a simulated disk: as its users see them, as they are on the disk, and the changes in between.
 *
 * What must hold: a name reaches the disk by `commit` of its folder or by luck in a crash. Changes of unrelated names
 * are kept or lost apart; one that builds on another (a rename of what was just created) is kept only together with it.
 * Used by SimulatedDisk (disk.ts) alone.
 */

import { posix } from 'node:path'
import { diskErrors } from '../errors.ts'
import type { FileImage } from './disk-image.ts'

export class Folder {
  readonly names = new Map<string, Entry>()
  readonly namesOnDisk = new Map<string, Entry>()
}

export type Entry = FileImage | Folder

/** A name of a folder, and what it stands for from now on; undefined: nothing. */
interface Slot {
  readonly folder: Folder
  readonly name: string
  readonly entry: Entry | undefined
}

interface NameChange {
  readonly order: number
  readonly slots: readonly Slot[]
}

export class Names {
  readonly #root = new Folder()
  #changes: NameChange[] = []

  /** The orders of the uncommitted changes, ascending. */
  get orders(): number[] {
    return this.#changes.map((change) => change.order)
  }

  /** What stands at `path`; undefined if nothing does. A file where a folder should be is an error. */
  find(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root
    for (const name of split(path)) {
      if (entry === undefined) return undefined
      if (!(entry instanceof Folder)) throw diskErrors.not_a_directory({ path })
      entry = entry.names.get(name)
    }
    return entry
  }

  file(path: string): FileImage {
    const entry = this.find(path)
    if (entry === undefined) throw diskErrors.not_found({ path })
    if (entry instanceof Folder) throw diskErrors.failed({ operation: 'opening', path, reason: 'it is a folder' })
    return entry
  }

  folder(path: string): Folder {
    const entry = this.find(path)
    if (entry === undefined) throw diskErrors.not_found({ path })
    if (!(entry instanceof Folder)) throw diskErrors.not_a_directory({ path })
    return entry
  }

  /** Sets what stands at `path`; the folder that holds it must be there. */
  set(order: number, path: string, entry: Entry | undefined): void {
    this.#change(order, [this.#slot(path, entry)])
  }

  move(order: number, from: string, to: string, entry: Entry): void {
    this.#change(order, [this.#slot(from, undefined), this.#slot(to, entry)])
  }

  /** Makes durable the changes up to `order` in this folder, and those that they build on. */
  commit(folder: Folder, order: number): void {
    const needed = new Slots()
    const included = new Set<NameChange>()
    for (const change of this.#changes.toReversed()) {
      if (change.order > order) continue
      if (!change.slots.some((slot) => slot.folder === folder || needed.has(slot))) continue
      included.add(change)
      for (const slot of change.slots) needed.add(slot)
    }
    for (const change of this.#changes) if (included.has(change)) toDisk(change)
    this.#changes = this.#changes.filter((change) => !included.has(change))
  }

  /** Power cut: `keep` is asked for each change in turn, unless it builds on one that is lost. */
  crash(keep: (order: number) => boolean): void {
    const lost = new Slots()
    for (const change of this.#changes) {
      if (!change.slots.some((slot) => lost.has(slot)) && keep(change.order)) toDisk(change)
      else for (const slot of change.slots) lost.add(slot)
    }
    this.#changes = []
    for (const folder of this.#foldersOnDisk()) {
      folder.names.clear()
      for (const [name, entry] of folder.namesOnDisk) folder.names.set(name, entry)
    }
  }

  /** The files that have a name. */
  *files(): Generator<FileImage> {
    const folders = [this.#root]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of folder.names.values()) {
        if (entry instanceof Folder) folders.push(entry)
        else yield entry
      }
    }
  }

  *#foldersOnDisk(): Generator<Folder> {
    const folders = [this.#root]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      yield folder
      for (const entry of folder.namesOnDisk.values()) if (entry instanceof Folder) folders.push(entry)
    }
  }

  #slot(path: string, entry: Entry | undefined): Slot {
    return { folder: this.folder(posix.dirname(absolute(path))), name: posix.basename(absolute(path)), entry }
  }

  #change(order: number, slots: readonly Slot[]): void {
    for (const { folder, name, entry } of slots) {
      if (entry === undefined) folder.names.delete(name)
      else folder.names.set(name, entry)
    }
    this.#changes.push({ order, slots })
  }
}

class Slots {
  readonly #names = new Map<Folder, Set<string>>()

  has({ folder, name }: Slot): boolean {
    return this.#names.get(folder)?.has(name) ?? false
  }

  add({ folder, name }: Slot): void {
    const names = this.#names.get(folder)
    if (names === undefined) this.#names.set(folder, new Set([name]))
    else names.add(name)
  }
}

function toDisk(change: NameChange): void {
  for (const { folder, name, entry } of change.slots) {
    if (entry === undefined) folder.namesOnDisk.delete(name)
    else folder.namesOnDisk.set(name, entry)
  }
}

/** Paths of a simulated disk are those of POSIX; relative ones start at its root. */
function absolute(path: string): string {
  return posix.resolve('/', path)
}

/** The names on the way to `path`, from the root on. */
export function split(path: string): string[] {
  return absolute(path)
    .split('/')
    .filter((name) => name !== '')
}
