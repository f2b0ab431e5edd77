/**
 * CLUSTER, read only: one node that has all slots. Where several workers share the slots, their router answers what concerns
 * nodes (workers/router.ts).
 */

import { answerCluster } from '../workers/cluster-answers.ts'
import { slotCount, slotOf } from '../workers/slots.ts'
import { type Call, CommandError, type CommandSpec, redisKeyspace } from './command.ts'
import { helpCommand } from './help.ts'
import { numberAt } from './options.ts'

const cluster = { group: 'cluster', categories: [], complexity: 'O(1)', flags: ['stale'], since: '3.0.0' } as const

const aboutNodes: readonly CommandSpec[] = [
  {
    ...cluster,
    name: 'info',
    arity: 2,
    tips: ['nondeterministic_output'],
    summary: 'The state of the cluster.',
    syntax: '',
    run: answer,
  },
  {
    ...cluster,
    name: 'myid',
    arity: 2,
    summary: 'The id of this node.',
    syntax: '',
    run: answer,
  },
  {
    ...cluster,
    name: 'nodes',
    arity: 2,
    tips: ['nondeterministic_output'],
    complexity: 'O(N) for N nodes',
    summary: 'Every node and its slots, one in a line.',
    syntax: '',
    run: answer,
  },
  {
    ...cluster,
    name: 'shards',
    arity: 2,
    tips: ['nondeterministic_output'],
    since: '7.0.0',
    complexity: 'O(N) for N nodes',
    summary: 'Slots, and the nodes that have them.',
    syntax: '',
    run: answer,
  },
  {
    ...cluster,
    name: 'slots',
    arity: 2,
    tips: ['nondeterministic_output'],
    complexity: 'O(N) for N nodes',
    deprecatedSince: '7.0.0',
    replacedBy: '`CLUSTER SHARDS`',
    summary: 'Slots, and the nodes that have them.',
    syntax: '',
    run: answer,
  },
]

const aboutSlots: readonly CommandSpec[] = [
  {
    ...cluster,
    name: 'countkeysinslot',
    arity: 3,
    complexity: 'O(N) for N keys of the server',
    summary: 'How many keys are in a slot.',
    syntax: 'slot',
    difference: 'Looks at every key of database 0.',
    run: (call) => call.reply.integer(keysInSlot(call, slotAt(call), Number.POSITIVE_INFINITY).length),
  },
  {
    ...cluster,
    name: 'getkeysinslot',
    arity: 4,
    tips: ['nondeterministic_output'],
    complexity: 'O(N) for N keys of the server',
    summary: 'Some keys that are in a slot.',
    syntax: 'slot count',
    difference: 'Looks at keys of database 0 until it has found so many.',
    run: (call) => {
      const slot = slotAt(call)
      const count = numberAt(call, 3)
      if (count < 0) throw new CommandError('ERR Invalid number of keys')
      const keys = keysInSlot(call, slot, count)
      call.reply.array(keys.length)
      for (const key of keys) call.reply.bulk(key, 0, key.length)
    },
  },
  {
    ...cluster,
    name: 'keyslot',
    arity: 3,
    complexity: 'O(N) for N bytes of the key',
    summary: 'The slot of a key.',
    syntax: 'key',
    run: ({ arguments: found, reply }) => reply.integer(slotOf(found.bytes, found.start(2), found.end(2))),
  },
]

const subcommands = [...aboutSlots, ...aboutNodes].sort((a, b) => (a.name < b.name ? -1 : 1))

export const clusterCommands: readonly CommandSpec[] = [
  {
    name: 'cluster',
    arity: -2,
    flags: [],
    group: 'cluster',
    categories: [],
    since: '3.0.0',
    complexity: 'O(1)',
    summary: 'Commands on the cluster and its slots.',
    syntax: 'subcommand [argument ...]',
    difference: 'Read only: this server is one node that has all slots, and INFO says that the cluster mode is off.',
    subcommands: [...subcommands, helpCommand('cluster', 'cluster', subcommands)],
  },
]

function answer(call: Call): void {
  const { server, session } = call
  const self = { shards: [0], address: server.address, id: server.runId }
  const command = session.lastCommand
  if (command !== undefined) answerCluster(call, command, { shardCount: 1, workers: [self] }, self)
}

function slotAt(call: Call): number {
  const slot = numberAt(call, 2, 'ERR Invalid slot')
  if (slot < 0 || slot >= slotCount) throw new CommandError('ERR Invalid slot')
  return slot
}

function keysInSlot({ databases, limits }: Call, slot: number, count: number): Uint8Array[] {
  const keys: Uint8Array[] = []
  let keysBytes = 0
  if (count === 0) return keys
  for (const { bytes, keyStart, keyBytes } of databases.ownerOf(0).range(redisKeyspace, {})) {
    if (slotOf(bytes, keyStart, keyStart + keyBytes) !== slot) continue
    keys.push(bytes.slice(keyStart, keyStart + keyBytes))
    keysBytes += keyBytes
    if (keysBytes > limits.outputBytesMax)
      throw new CommandError('ERR the keys take more than the reply limit (outputBytesMax)')
    if (keys.length === count) break
  }
  return keys
}
