/** Commands on streams, each with its answer in both versions of the protocol: part of the table in commands.test.ts. */

import type { Answer } from './answers-suite.ts'

export const streamAnswers: readonly (readonly [command: string, answer: Answer])[] = [
  ['XADD stream 1-1 a 1', '$3\r\n1-1\r\n'],
  ['XADD stream 1-* b 2', '$3\r\n1-2\r\n'],
  ['XADD stream 5 c 3', '$3\r\n5-0\r\n'],
  ['XLEN stream', ':3\r\n'],
  ['XRANGE stream - + COUNT 1', '*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n'],
  [
    'XREVRANGE stream + -',
    '*3\r\n*2\r\n$3\r\n5-0\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n',
  ],
  [
    'XREAD COUNT 1 STREAMS stream 1',
    [
      '*1\r\n*2\r\n$6\r\nstream\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n',
      '%1\r\n$6\r\nstream\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n',
    ],
  ],
  ['XGROUP CREATE stream group 0', '+OK\r\n'],
  ['XGROUP CREATE other group $ MKSTREAM', '+OK\r\n'],
  ['XGROUP CREATECONSUMER stream group bob', ':1\r\n'],
  [
    'XREADGROUP GROUP group ann STREAMS stream >',
    [
      '*1\r\n*2\r\n$6\r\nstream\r\n*3\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n*2\r\n$3\r\n5-0\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n',
      '%1\r\n$6\r\nstream\r\n*3\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n*2\r\n$3\r\n5-0\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n',
    ],
  ],
  ['XPENDING stream group', '*4\r\n:3\r\n$3\r\n1-1\r\n$3\r\n5-0\r\n*1\r\n*2\r\n$3\r\nann\r\n$1\r\n3\r\n'],
  ['XACK stream group 1-1 9', ':1\r\n'],
  ['XCLAIM stream group bob 0 1-2 JUSTID', '*1\r\n$3\r\n1-2\r\n'],
  [
    'XAUTOCLAIM stream group ann 0 - COUNT 1',
    '*3\r\n$3\r\n5-0\r\n*1\r\n*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n*0\r\n',
  ],
  [
    'XINFO GROUPS stream',
    [
      '*1\r\n*12\r\n$4\r\nname\r\n$5\r\ngroup\r\n$9\r\nconsumers\r\n:2\r\n$7\r\npending\r\n:2\r\n$17\r\nlast-delivered-id\r\n$3\r\n5-0\r\n$12\r\nentries-read\r\n:3\r\n$3\r\nlag\r\n:0\r\n',
      '*1\r\n%6\r\n$4\r\nname\r\n$5\r\ngroup\r\n$9\r\nconsumers\r\n:2\r\n$7\r\npending\r\n:2\r\n$17\r\nlast-delivered-id\r\n$3\r\n5-0\r\n$12\r\nentries-read\r\n:3\r\n$3\r\nlag\r\n:0\r\n',
    ],
  ],
  [
    'XINFO STREAM other',
    [
      '*20\r\n$6\r\nlength\r\n:0\r\n$15\r\nradix-tree-keys\r\n:0\r\n$16\r\nradix-tree-nodes\r\n:1\r\n$17\r\nlast-generated-id\r\n$3\r\n0-0\r\n$20\r\nmax-deleted-entry-id\r\n$3\r\n0-0\r\n$13\r\nentries-added\r\n:0\r\n$23\r\nrecorded-first-entry-id\r\n$3\r\n0-0\r\n$6\r\ngroups\r\n:1\r\n$11\r\nfirst-entry\r\n$-1\r\n$10\r\nlast-entry\r\n$-1\r\n',
      '%10\r\n$6\r\nlength\r\n:0\r\n$15\r\nradix-tree-keys\r\n:0\r\n$16\r\nradix-tree-nodes\r\n:1\r\n$17\r\nlast-generated-id\r\n$3\r\n0-0\r\n$20\r\nmax-deleted-entry-id\r\n$3\r\n0-0\r\n$13\r\nentries-added\r\n:0\r\n$23\r\nrecorded-first-entry-id\r\n$3\r\n0-0\r\n$6\r\ngroups\r\n:1\r\n$11\r\nfirst-entry\r\n_\r\n$10\r\nlast-entry\r\n_\r\n',
    ],
  ],
  ['XDEL stream 5 7', ':1\r\n'],
  ['XTRIM stream MAXLEN 1', ':1\r\n'],
  ['XSETID stream 9', '+OK\r\n'],
  ['XGROUP SETID stream group 0', '+OK\r\n'],
  ['XGROUP DELCONSUMER stream group bob', ':0\r\n'],
  ['XGROUP DESTROY stream group', ':1\r\n'],
  ['TYPE stream', '+stream\r\n'],
  ['OBJECT ENCODING stream', '$6\r\nstream\r\n'],
  ['XINFO CONSUMERS stream group', /^-NOGROUP No such consumer group 'group' for key name 'stream'/],
  ['XINFO HELP', /^\*\d+\r\n\+XINFO <subcommand>/],
  ['XGROUP HELP', /^\*\d+\r\n\+XGROUP <subcommand>/],
  ['FLUSHALL', '+OK\r\n'],
]
