/** All contestants by name: in JavaScript with how to make one, in C and C++ with their program. */

import { buildProgram, installPeers, type ProgramName, peerProblem, peerVersion } from '../peers.ts'
import type { MakeContestant } from './contestant.ts'
import { EngineLogContestant } from './engine-log.ts'
import { LevelContestant } from './level.ts'
import { LmdbContestant } from './lmdb.ts'
import { MapContestant } from './map.ts'
import { OrbitContestant } from './orbit.ts'
import { RocksContestant } from './rocksdb.ts'
import { SqliteContestant } from './sqlite.ts'

export interface ContestantKind {
  readonly title: string
  /** Whether bars are against it: not so for ourselves, for the floor, and for ways that its authors warn of. */
  readonly isPeer: boolean
  readonly make?: MakeContestant
  /** The package of `peers/` that it needs. */
  readonly peer?: string
  readonly program?: ProgramName
  /** How a program is opened and used. */
  readonly settings?: string
}

export const contestants: Readonly<Record<string, ContestantKind>> = {
  orbit: { title: 'OrbitKV', isPeer: false, make: (workload) => new OrbitContestant(workload) },
  'engine-log': {
    title: 'its engine alone',
    isPeer: false,
    make: (workload) => new EngineLogContestant(workload),
  },
  lmdb: { title: 'lmdb-js', isPeer: true, make: (workload) => new LmdbContestant(workload, 'plain') },
  'lmdb-write-map': {
    title: 'lmdb-js, write map',
    isPeer: false,
    make: (workload) => new LmdbContestant(workload, 'write-map'),
  },
  'lmdb-overlapping': {
    title: 'lmdb-js, overlapping sync',
    isPeer: true,
    make: (workload) => new LmdbContestant(workload, 'overlapping'),
  },
  'lmdb-c': {
    title: 'LMDB from C',
    isPeer: true,
    program: 'lmdb',
    settings:
      'MDB_NOMEMINIT, MDB_NOTLS, map of 64 GiB; unsynced with MDB_NOSYNC and MDB_NOMETASYNC; one read transaction for a run of reads',
  },
  level: {
    title: 'classic-level',
    isPeer: true,
    peer: 'classic-level',
    make: (workload) => new LevelContestant(workload),
  },
  sqlite: {
    title: 'better-sqlite3',
    isPeer: true,
    peer: 'better-sqlite3',
    make: (workload) => new SqliteContestant(workload),
  },
  'rocksdb-js': {
    title: 'RocksDB from Node',
    isPeer: true,
    peer: '@nxtedition/rocksdb',
    make: (workload) => new RocksContestant(workload),
  },
  'rocksdb-cpp': {
    title: 'RocksDB from C++',
    isPeer: true,
    program: 'rocksdb',
    settings:
      'OptimizeForPointLookup(4096), IncreaseParallelism(2), 4 write buffers of 128 MiB, dynamic levels, LZ4, all files open; WAL written, synced where synced; get copies into a string, view pins',
  },
  map: { title: 'Map (a floor, no peer)', isPeer: false, make: (workload) => new MapContestant(workload) },
}

export interface Roster {
  /** Names of contestants that are here, in the order of the registry. */
  readonly names: readonly string[]
  /** Why others are not, by name. */
  readonly missing: Readonly<Record<string, string>>
  /** Paths of programs, by contestant. */
  readonly programs: Readonly<Record<string, string>>
  readonly settings: Readonly<Record<string, string>>
}

/** Sees what is here, and gets what can be got. `only`: just these peers, besides ourselves. */
export function callRoster(only: readonly string[] | undefined, note: (text: string) => void): Roster {
  const names: string[] = []
  const missing: Record<string, string> = {}
  const programs: Record<string, string> = {}
  const settings: Record<string, string> = {}
  const wanted = Object.entries(contestants).filter(
    ([name, { peer, program }]) =>
      only === undefined || only.includes(name) || ((peer ?? program) === undefined && name === 'orbit'),
  )
  const problem = wanted.some(([, { peer }]) => peer !== undefined) ? installPeers(note) : undefined
  for (const [name, kind] of wanted) {
    if (kind.program !== undefined) {
      const built = buildProgram(kind.program)
      if ('missing' in built) {
        missing[name] = built.missing
        continue
      }
      programs[name] = built.path
      if (kind.settings !== undefined) settings[name] = kind.settings
    } else if (kind.peer !== undefined) {
      const reason = problem ?? peerProblem(kind.peer)
      if (reason !== undefined) {
        missing[name] = reason
        continue
      }
      settings[`${name}, package`] = `${kind.peer} ${peerVersion(kind.peer)}`
    }
    names.push(name)
  }
  for (const [name, reason] of Object.entries(missing)) note(`left out: ${name}: ${reason}`)
  return { names, missing, programs, settings }
}
