/**
 * What each backend does to bytes and disks, where the plan does not say otherwise. `mmap` is OrbitKV's log engine
 * (storage/engine-log); the others are what the literature and the source documents give for engines of their kind.
 */

export interface Backend {
  readonly name: string
  readonly summary: string
  /** Values for inputs of the table, by id. */
  readonly inputs: Readonly<Record<string, number>>
}

export const backends: readonly Backend[] = [
  {
    name: 'mmap',
    summary: 'an append-only log with its indexes in memory; compaction rewrites what is half empty',
    inputs: {
      'storage.space_amplification': 1.5,
      'storage.write_amplification': 2,
      'memory.index_bytes_per_key': 50,
      'memory.bloom_bytes_per_key': 0,
      'disk.ios_per_read': 1,
      'disk.ios_per_write': 0.1,
      'disk.compaction_ios_per_write': 0.05,
    },
  },
  {
    name: 'lsm',
    summary: 'a log-structured merge tree with levels that grow tenfold',
    inputs: {
      'storage.space_amplification': 1.35,
      'storage.write_amplification': 10,
      'memory.index_bytes_per_key': 1,
      'memory.bloom_bytes_per_key': 1.25,
      'disk.ios_per_read': 1.1,
      'disk.ios_per_write': 0.1,
      'disk.compaction_ios_per_write': 0.2,
    },
  },
  {
    name: 'rocksdb',
    summary: 'RocksDB with levels, ten bits of Bloom filter a key',
    inputs: {
      'storage.space_amplification': 1.2,
      'storage.write_amplification': 12,
      'memory.index_bytes_per_key': 1,
      'memory.bloom_bytes_per_key': 1.25,
      'disk.ios_per_read': 1.1,
      'disk.ios_per_write': 0.1,
      'disk.compaction_ios_per_write': 0.2,
    },
  },
  {
    name: 'objects',
    summary: 'objects of many entries in an object store, an index of them on the nodes',
    inputs: {
      'storage.space_amplification': 1.1,
      'storage.write_amplification': 1,
      'memory.index_bytes_per_key': 1,
      'memory.bloom_bytes_per_key': 1.25,
      'disk.ios_per_read': 0,
      'disk.ios_per_write': 0.01,
      'disk.compaction_ios_per_write': 0,
    },
  },
]
