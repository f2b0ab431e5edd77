/**
 * How each command spreads over shards and workers. Most of it is in the table of commands already: where the keys are, and
 * Redis's tips `request_policy` and `response_policy`. Here is what those do not say.
 */

import type { Command, KeySpec } from '../commands/command.ts'
import type { MergeKind } from './merge.ts'

export type Spread =
  /** On the worker that has the connection. */
  | { readonly kind: 'here' }
  /** Where its one key is; the usual case, apart so that it is quick. */
  | { readonly kind: 'key'; readonly place: number }
  /** Where its keys are, which have to be of one slot. */
  | { readonly kind: 'keys'; readonly keys: readonly KeySpec[] }
  /** Each key where it is; the replies become one. */
  | { readonly kind: 'split'; readonly merge: 'agg_sum' | 'by_place' }
  /** To all shards, or to one shard of each worker; the replies become one. */
  | { readonly kind: 'all'; readonly of: 'shards' | 'workers'; readonly merge: MergeKind }
  /** To the shard that a cursor names. */
  | { readonly kind: 'cursor' }
  /** To the shard of a slot. */
  | { readonly kind: 'slot'; readonly place: number }
  /** About the workers themselves. */
  | { readonly kind: 'cluster' }
  | { readonly kind: 'exec' }
  /** Ends what EXEC would run. */
  | { readonly kind: 'discard' }
  | { readonly kind: 'refused'; readonly error: string }

const here: Spread = { kind: 'here' }
const shards = (merge: MergeKind): Spread => ({ kind: 'all', of: 'shards', merge })
const workers = (merge: MergeKind): Spread => ({ kind: 'all', of: 'workers', merge })
const cluster: Spread = { kind: 'cluster' }
const refused = (name: string, reason: string): Spread => ({
  kind: 'refused',
  error: `ERR ${name} is not possible with several shards: ${reason}`,
})

/** By full name; commands that are not here follow from their row. */
const exceptions: Readonly<Record<string, Spread>> = {
  ping: here,
  scan: { kind: 'cursor' },
  randomkey: shards('any'),
  info: shards('info'),
  'config|get': here,
  'config|resetstat': shards('all_succeeded'),
  // It tells two numbers.
  waitaof: shards('agg_logical_and'),
  save: shards('all_succeeded'),
  bgsave: shards('all_succeeded'),
  bgrewriteaof: shards('all_succeeded'),
  'client|list': workers('texts'),
  'client|kill': workers('kills'),
  'client|unblock': workers('agg_sum'),
  'client|pause': workers('all_succeeded'),
  'client|unpause': workers('all_succeeded'),
  publish: workers('agg_sum'),
  'pubsub|channels': workers('union'),
  'pubsub|numsub': workers('sum_of_names'),
  'pubsub|numpat': workers('agg_sum'),
  'pubsub|shardchannels': workers('union'),
  'pubsub|shardnumsub': workers('sum_of_names'),
  spublish: workers('agg_sum'),
  ssubscribe: here,
  sunsubscribe: here,
  exec: { kind: 'exec' },
  discard: { kind: 'discard' },
  unwatch: { kind: 'discard' },
  reset: { kind: 'discard' },
  'cluster|slots': cluster,
  'cluster|shards': cluster,
  'cluster|nodes': cluster,
  'cluster|info': cluster,
  'cluster|myid': cluster,
  'cluster|countkeysinslot': { kind: 'slot', place: 2 },
  'cluster|getkeysinslot': { kind: 'slot', place: 2 },
  swapdb: refused('SWAPDB', 'it could not be one step on all of them'),
  'acl|setuser': shards('all_succeeded'),
  'acl|deluser': shards('all_succeeded'),
  'acl|load': shards('all_succeeded'),
  // All have the same users.
  'acl|save': here,
  'orbit.at': refused('ORBIT.AT', 'each has revisions of its own'),
  'orbit.range': refused('ORBIT.RANGE', 'a range has keys of all of them'),
  'orbit.watch': refused('ORBIT.WATCH', 'each has revisions of its own'),
  'slowlog|get': here,
  'slowlog|len': here,
}

/** Keys that each may be elsewhere, since the command does with one what it does with any other. */
const splits: Readonly<Record<string, 'agg_sum' | 'by_place'>> = {
  del: 'agg_sum',
  unlink: 'agg_sum',
  exists: 'agg_sum',
  touch: 'agg_sum',
  mget: 'by_place',
}

const merges: ReadonlySet<string> = new Set<MergeKind>(['all_succeeded', 'agg_sum', 'agg_min', 'agg_logical_and'])

export function spreadOf(command: Command): Spread {
  const exception = exceptions[command.fullName]
  if (exception !== undefined) return exception
  const split = splits[command.fullName]
  if (split !== undefined) return { kind: 'split', merge: split }
  const { keys = [], tips = [] } = command
  const [key] = keys
  if (key !== undefined) {
    const isOne = keys.length === 1 && 'first' in key && key.first === key.last
    return isOne ? { kind: 'key', place: key.first } : { kind: 'keys', keys }
  }
  const policy = tips.find((tip) => tip === 'request_policy:all_shards' || tip === 'request_policy:all_nodes')
  if (policy === undefined) return here
  const merge = tips.find((tip) => tip.startsWith('response_policy:'))?.slice('response_policy:'.length)
  if (merge === undefined) return shards('concatenate')
  return merges.has(merge) ? shards(merge as MergeKind) : here
}

/** What has no place in a transaction that may run on another worker: it is about the connection itself. */
export const notInTransactions: ReadonlySet<string> = new Set([
  'select',
  'hello',
  'auth',
  'client',
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
])
