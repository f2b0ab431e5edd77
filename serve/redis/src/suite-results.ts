/**
 * How Redis's own suite fares against this server: written by `npm run test:tcl -- FOLDER --keep`, all but the reasons. Nothing else imports
 * it than the page about compatibility.
 */

import type { SuiteResults } from './suite.ts'

export type { SuiteResults, SuiteUnit } from './suite.ts'

export const suiteResults: SuiteResults = {
  'unit/type/string': {
    tests: 77,
    passed: 73,
    failures: [
      {
        reason: 'There is no replication: no stream of commands to look at.',
        tests: ['GETDEL propagate as DEL command to replica', 'GETEX without argument does not propagate to replica'],
      },
      {
        reason: 'A value has at most 1 MiB, or 16 if set so.',
        tests: ['Very big payload in GET/SET'],
      },
      {
        reason: 'Not reached, or their names are lost where a test breaks off.',
        tests: ['1 tests behind a failed one'],
      },
    ],
  },
  'unit/type/incr': {
    tests: 25,
    passed: 23,
    failures: [
      {
        reason: 'Asks `DEBUG` for what is inside Redis.',
        tests: ['INCR can modify objects in-place', 'INCR uses shared objects in the 0-9999 range'],
      },
    ],
  },
  'unit/type/list': {
    tests: 240,
    passed: 236,
    failures: [
      {
        reason: 'There is no replication: no stream of commands to look at.',
        tests: [
          'BLMPOP propagate as pop with count command to replica',
          'LMPOP propagate as pop with count command to replica',
          'MULTI + LPUSH + EXPIRE + DEBUG SLEEP on blocked client, key already expired',
          'SWAPDB wants to wake blocked client, but the key already expired',
        ],
      },
    ],
  },
  'unit/type/list-2': {
    tests: 2,
    passed: 2,
    failures: [],
  },
  'unit/type/list-3': {
    tests: 11,
    passed: 11,
    failures: [],
  },
  'unit/type/set': {
    tests: 99,
    passed: 98,
    failures: [
      {
        reason: 'Asks `DEBUG` for what is inside Redis.',
        tests: ['SRANDMEMBER with a dict containing long chain'],
      },
    ],
  },
  'unit/type/zset': {
    tests: 312,
    passed: 310,
    failures: [
      {
        reason: 'There is no replication: no stream of commands to look at.',
        tests: [
          'BZMPOP propagate as pop with count command to replica',
          'ZMPOP propagate as pop with count command to replica',
        ],
      },
    ],
  },
  'unit/type/hash': {
    tests: 73,
    passed: 70,
    failures: [
      {
        reason: 'Fields come in the order of their bytes.',
        tests: ['Hash ziplist of various encodings', 'Hash ziplist of various encodings - sanitize dump'],
      },
      {
        reason: 'Asks `DEBUG` for what is inside Redis.',
        tests: ['Is a ziplist encoded Hash promoted on big payload?'],
      },
    ],
  },
  'unit/type/stream': {
    tests: 72,
    passed: 71,
    failures: [
      {
        reason: '`XTRIM` with `~` cuts whole hundreds.',
        tests: ['XTRIM with MAXLEN option basic test'],
      },
    ],
  },
  'unit/type/stream-cgroups': {
    tests: 51,
    passed: 44,
    failures: [
      {
        reason: 'Not reached, or their names are lost where a test breaks off.',
        tests: ['7 tests behind a failed one'],
      },
    ],
  },
  'unit/expire': {
    tests: 66,
    passed: 61,
    failures: [
      {
        reason: 'There is no replication: no stream of commands to look at.',
        tests: [
          'All TTL in commands are propagated as absolute timestamp in replication stream',
          'GETEX propagate as to replica as PERSIST, DEL, or nothing',
          'RANDOMKEY: Lazy-expire should not be wrapped in MULTI/EXEC',
          'SCAN: Lazy-expire should not be wrapped in MULTI/EXEC',
        ],
      },
      {
        reason: 'Keys whose time is over are never counted.',
        tests: ['Redis should lazy expire keys'],
      },
    ],
  },
  'unit/scan': {
    tests: 17,
    passed: 17,
    failures: [],
  },
  'unit/keyspace': {
    tests: 53,
    passed: 53,
    failures: [],
  },
  'unit/multi': {
    tests: 60,
    passed: 6,
    failures: [
      {
        reason:
          'Follows from a refusal within `MULTI`: `maxmemory` cannot be changed in a server without a cache, as that of this run.',
        tests: [
          'After failed EXEC key is no longer watched',
          'After successful EXEC key is no longer watched',
          'DISCARD should UNWATCH all the keys',
          'DISCARD should clear the WATCH dirty flag on the client',
          'DISCARD should not fail during OOM',
          'Delete WATCHed stale keys should not fail EXEC',
          'EXEC fail on WATCHed key modified (1 key of 1 watched)',
          'EXEC fail on WATCHed key modified (1 key of 5 watched)',
          'EXEC fail on WATCHed key modified by SORT with STORE even if the result is empty',
          'EXEC fail on lazy expired WATCHed key',
          'EXEC fails if there are errors while queueing commands #2',
          'EXEC works on WATCHed key not modified',
          'FLUSHALL does not touch non affected keys',
          'FLUSHALL is able to touch the watched keys',
          'FLUSHDB does not touch non affected keys',
          'FLUSHDB is able to touch the watched keys',
          'FLUSHDB while watching stale keys should not fail EXEC',
          'If EXEC aborts, the client MULTI state is cleared',
          'It is possible to UNWATCH',
          'SWAPDB does not touch non-existing key replaced with stale key',
          'SWAPDB does not touch stale key replaced with another stale key',
          'SWAPDB does not touch watched stale keys',
          'SWAPDB is able to touch the watched keys that do not exist',
          'SWAPDB is able to touch the watched keys that exist',
          'UNWATCH when there is nothing watched works as expected',
          'WATCH is able to remember the DB a key belongs to',
          'WATCH stale keys should not fail EXEC',
          'WATCH will consider touched expired keys',
          'WATCH will consider touched keys target of EXPIRE',
        ],
      },
      {
        reason: 'Follows from a failure within `MULTI` before it in the file.',
        tests: [
          'Blocking commands ignores the timeout',
          'EXEC with at least one use-memory command should fail',
          'EXEC with only read commands should not be rejected when OOM',
          'Flushall while watching several keys by one client',
          'MULTI with SAVE',
          'MULTI with SHUTDOWN',
          'MULTI with config error',
          'exec with read commands and stale replica state change',
        ],
      },
      {
        reason: 'There is no `BUSY`: a script that runs too long is ended.',
        tests: [
          'EXEC and script timeout',
          'MULTI and script timeout',
          'MULTI-EXEC body and script timeout',
          'just EXEC and script timeout',
        ],
      },
      {
        reason: 'There is no replication: no stream of commands to look at.',
        tests: [
          'MULTI / EXEC is not propagated (single write command)',
          'MULTI / EXEC is propagated correctly (empty transaction)',
          'MULTI / EXEC is propagated correctly (multiple commands with SELECT)',
          'MULTI / EXEC is propagated correctly (multiple commands)',
          'MULTI / EXEC is propagated correctly (read-only commands)',
          'MULTI / EXEC is propagated correctly (write command, no effect)',
          'MULTI / EXEC with REPLICAOF',
          'MULTI propagation of EVAL',
          'MULTI propagation of PUBLISH',
          'MULTI propagation of SCRIPT FLUSH',
          'MULTI propagation of SCRIPT LOAD',
          'MULTI propagation of XREADGROUP',
        ],
      },
      {
        reason: 'There are no replicas.',
        tests: ['exec with write commands and state change'],
      },
    ],
  },
  'unit/pubsub': {
    tests: 30,
    passed: 29,
    failures: [
      {
        reason: 'Nothing is evicted, so the policy cannot be changed.',
        tests: ['Keyspace notifications: evicted events'],
      },
    ],
  },
  'unit/scripting': {
    tests: 151,
    passed: 135,
    failures: [
      {
        reason: '`CLUSTER RESET` is not offered.',
        tests: ['CLUSTER RESET can not be invoke from within a script'],
      },
      {
        reason: 'Counts of commands in scripts differ.',
        tests: ['Consistent eval error reporting'],
      },
      {
        reason: 'There is no replication: no stream of commands to look at.',
        tests: [
          'EXPIRE: We can call scripts rewriting client->argv from Lua',
          "MGET: mget shouldn't be propagated in Lua",
          'SPOP: We can call scripts rewriting client->argv from Lua',
        ],
      },
      {
        reason:
          '`maxmemory` can only be changed where the store was opened with a cache, which the server of this run was not.',
        tests: [
          'Script - disallow write on OOM',
          'allow-oom shebang flag',
          'reject script do not cause a Lua stack leak',
        ],
      },
      {
        reason:
          'The suite sets a limit of 10 ms: a script that takes longer is ended, instead of `BUSY` for the others.',
        tests: ['Script block the time during execution', 'Timedout script link is still usable after Lua returns'],
      },
      {
        reason: 'Asks `DEBUG` for what is inside Redis.',
        tests: ['Script delete the expired key'],
      },
      {
        reason: 'There is no `BUSY`: a script that runs too long is ended.',
        tests: [
          'Timedout read-only scripts can be killed by SCRIPT KILL',
          'Timedout read-only scripts can be killed by SCRIPT KILL even when use pcall',
          'Timedout script does not cause a false dead client',
        ],
      },
      {
        reason: 'There are no replicas.',
        tests: ['not enough good replicas'],
      },
      {
        reason: 'Attributes of RESP3 are not sent.',
        tests: ['test resp3 attribute protocol parsing'],
      },
    ],
  },
  'unit/bitops': {
    tests: 45,
    passed: 45,
    failures: [],
  },
  'unit/bitfield': {
    tests: 16,
    passed: 16,
    failures: [],
  },
  'unit/hyperloglog': {
    tests: 20,
    passed: 13,
    failures: [
      {
        reason: 'A HyperLogLog is kept dense only.',
        tests: [
          'Corrupted dense HyperLogLogs are detected: Wrong length',
          'Corrupted sparse HyperLogLogs are detected: Additional at tail',
          'HyperLogLogs are promote from sparse to dense',
          'PFADD / PFCOUNT cache invalidation works',
        ],
      },
      {
        reason: '`PFDEBUG` and `PFSELFTEST` look inside Redis.',
        tests: [
          'HyperLogLog self test passes',
          'HyperLogLog sparse encoding stress test',
          'PFDEBUG GETREG returns the HyperLogLog raw registers',
        ],
      },
    ],
  },
  'unit/sort': {
    tests: 52,
    passed: 52,
    failures: [],
  },
  'unit/dump': {
    tests: 12,
    passed: 9,
    failures: [
      {
        reason: 'Nothing is evicted, so the policy cannot be changed.',
        tests: ['RESTORE can set LFU', 'RESTORE can set LRU', 'RESTORE with ABSTTL in the past'],
      },
    ],
  },
  'unit/introspection': {
    tests: 28,
    passed: 14,
    failures: [
      {
        reason: '`qbuf` does not count the command that runs.',
        tests: ['CLIENT INFO', 'CLIENT LIST'],
      },
      {
        reason: 'Nothing is evicted, so the policy cannot be changed.',
        tests: ['CONFIG GET hidden configs', 'CONFIG GET multiple args'],
      },
      {
        reason:
          '`maxmemory` can only be changed where the store was opened with a cache, which the server of this run was not.',
        tests: ['CONFIG SET duplicate configs', 'CONFIG SET with multiple args'],
      },
      {
        reason: 'That setting is given at the start.',
        tests: ['CONFIG SET rollback on apply error', 'CONFIG SET rollback on set error'],
      },
      {
        reason: 'Durability is given at the start.',
        tests: ['CONFIG sanity'],
      },
      {
        reason: 'Functions are not offered.',
        tests: ['MONITOR can log commands issued by functions'],
      },
      {
        reason: '`MONITOR` is not offered.',
        tests: [
          'MONITOR can log commands issued by the scripting engine',
          'MONITOR can log executed commands',
          'MONITOR correctly handles multi-exec cases',
          'MONITOR supports redacting command arguments',
        ],
      },
    ],
  },
  'unit/introspection-2': {
    tests: 43,
    passed: 36,
    failures: [
      {
        reason: 'Where a script has no keys, `COMMAND GETKEYS` is refused, as before Redis 7.',
        tests: ['COMMAND GETKEYS EVAL without keys'],
      },
      {
        reason: '`SET` is told with the flags of its widest use, whatever its options.',
        tests: ['COMMAND GETKEYSANDFLAGS'],
      },
      {
        reason: '`COMMAND LIST` leaves subcommands out, or `SCRIPT KILL` is not offered.',
        tests: [
          'COMMAND LIST FILTERBY ACLCAT - list all commands/subcommands',
          'COMMAND LIST FILTERBY PATTERN - list all commands/subcommands',
          'COMMAND LIST WITHOUT FILTERBY',
        ],
      },
      {
        reason: '`MIGRATE` is not offered.',
        tests: ['MIGRATE command is marked with movablekeys'],
      },
      {
        reason: 'The time of the last access is not kept.',
        tests: ['TTL, TYPE and EXISTS do not alter the last access time of a key'],
      },
    ],
  },
  'unit/other': {
    tests: 22,
    passed: 19,
    failures: [
      {
        reason: 'Durability is given at the start.',
        tests: ['EXPIRES after AOF reload (without rewrite)'],
      },
      {
        reason: '`MONITOR` is not offered.',
        tests: ['RESET clears MONITOR state'],
      },
      {
        reason: '`CLIENT TRACKING` is not offered.',
        tests: ['RESET clears client state'],
      },
    ],
  },
  'unit/info-command': {
    tests: 3,
    passed: 3,
    failures: [],
  },
}
