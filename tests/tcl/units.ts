/** Which files of the Tcl suite of Redis 7.0 are run, and how many tests each has. */

/**
 * Tests that each file runs against an external server, as redis-server 7.0.15 itself does with `--enable-debug-command yes`:
 * those without the tag external:skip or large-memory. In unit/acl, acl-v2, auth, info, limits and maxmemory there are none.
 */
export const testCounts: Readonly<Record<string, number>> = {
  'unit/type/string': 77,
  'unit/type/incr': 25,
  'unit/type/list': 240,
  'unit/type/list-2': 2,
  'unit/type/list-3': 11,
  'unit/type/set': 99,
  'unit/type/zset': 312,
  'unit/type/hash': 73,
  'unit/type/stream': 72,
  'unit/type/stream-cgroups': 51,
  'unit/expire': 66,
  'unit/scan': 17,
  'unit/keyspace': 53,
  'unit/multi': 60,
  'unit/pubsub': 30,
  'unit/scripting': 151,
  'unit/bitops': 45,
  'unit/bitfield': 16,
  'unit/hyperloglog': 20,
  'unit/sort': 52,
  'unit/dump': 12,
  'unit/introspection': 28,
  'unit/introspection-2': 43,
  'unit/other': 22,
  'unit/info-command': 3,
}

/** It runs all its tests twice, first with FUNCTION, which is not offered: so the second half of it is run alone. */
export const scriptingUnit = 'unit/scripting'
export const bothHalves = 'foreach is_eval {0 1}'
export const evalHalf = 'foreach is_eval {1}'
