/** SUBSCRIBE, PUBLISH and their kin. Messages go to who listens now; none is kept. */

import { compileGlob } from '@orbitkv/bytes'
import { type Receiver, subscriptionCount } from '../channels.ts'
import { deliver } from '../messages.ts'
import type { Reply } from '../protocol/reply.ts'
import { latin1 } from '../protocol/text.ts'
import type { Session } from '../session.ts'
import type { Call, CommandSpec } from './command.ts'
import { helpCommand } from './help.ts'

const pubsub = { group: 'pubsub', categories: ['pubsub'], complexity: 'O(N) for N names' } as const
const listening = ['pubsub', 'noscript', 'loading', 'stale'] as const

const subcommands: readonly CommandSpec[] = [
  {
    ...pubsub,
    name: 'channels',
    arity: -2,
    flags: ['pubsub', 'loading', 'stale'],
    since: '2.8.0',
    summary: 'Channels that somebody listens to, patterns apart.',
    syntax: '[pattern]',
    run: (call) => listNames(call, call.server.channels.names()),
  },
  {
    ...pubsub,
    name: 'numpat',
    arity: 2,
    flags: ['pubsub', 'loading', 'stale'],
    since: '2.8.0',
    complexity: 'O(1)',
    summary: 'How many different patterns are listened to.',
    syntax: '',
    run: ({ reply, server }) => reply.integer(server.channels.patternCount),
  },
  {
    ...pubsub,
    name: 'numsub',
    arity: -2,
    flags: ['pubsub', 'loading', 'stale'],
    since: '2.8.0',
    summary: 'How many clients listen to each channel, patterns apart.',
    syntax: '[channel [channel ...]]',
    run: (call) => countListeners(call, (name) => call.server.channels.listeners(name)),
  },
  {
    ...pubsub,
    name: 'shardchannels',
    arity: -2,
    flags: ['pubsub', 'loading', 'stale'],
    since: '7.0.0',
    summary: 'Channels of shards that somebody listens to.',
    syntax: '[pattern]',
    run: (call) => listNames(call, call.server.channels.shardNames()),
  },
  {
    ...pubsub,
    name: 'shardnumsub',
    arity: -2,
    flags: ['pubsub', 'loading', 'stale'],
    since: '7.0.0',
    summary: 'How many clients listen to each channel of a shard.',
    syntax: '[shardchannel [shardchannel ...]]',
    run: (call) => countListeners(call, (name) => call.server.channels.shardListeners(name)),
  },
]

export const pubsubCommands: readonly CommandSpec[] = [
  {
    ...pubsub,
    name: 'subscribe',
    arity: -2,
    flags: listening,
    since: '2.0.0',
    summary: 'Listens to channels.',
    syntax: 'channel [channel ...]',
    run: (call) => subscribe(call, 'subscribe', (name) => call.server.channels.subscribe(call.session, name)),
  },
  {
    ...pubsub,
    name: 'psubscribe',
    arity: -2,
    flags: listening,
    since: '2.0.0',
    summary: 'Listens to all channels that match a pattern.',
    syntax: 'pattern [pattern ...]',
    run: (call) => subscribe(call, 'psubscribe', (name) => call.server.channels.subscribePattern(call.session, name)),
  },
  {
    ...pubsub,
    name: 'unsubscribe',
    arity: -1,
    flags: listening,
    since: '2.0.0',
    summary: 'Listens no more to channels, or to any.',
    syntax: '[channel [channel ...]]',
    run: (call) => {
      const { server, session } = call
      const own = session.subscriptions?.channels
      unsubscribe(call, 'unsubscribe', own, subscriptionCount, (name) => server.channels.unsubscribe(session, name))
    },
  },
  {
    ...pubsub,
    name: 'punsubscribe',
    arity: -1,
    flags: listening,
    since: '2.0.0',
    summary: 'Listens no more to patterns, or to any.',
    syntax: '[pattern [pattern ...]]',
    run: (call) => {
      const { server, session } = call
      const own = session.subscriptions?.patterns
      unsubscribe(call, 'punsubscribe', own, subscriptionCount, (name) =>
        server.channels.unsubscribePattern(session, name),
      )
    },
  },
  {
    ...pubsub,
    name: 'publish',
    arity: 3,
    flags: ['pubsub', 'loading', 'stale', 'fast'],
    since: '2.0.0',
    complexity: 'O(N + M) for N clients that listen and M patterns',
    summary: 'Sends a message to those who listen to a channel, and tells how many they are.',
    syntax: 'channel message',
    difference: 'A client that listens to its own message gets it behind the reply.',
    run: (call) => publish(call, 'message', (name) => call.server.channels.receivers(name)),
  },
  {
    ...pubsub,
    name: 'ssubscribe',
    arity: -2,
    flags: listening,
    keys: [{ first: 1, last: -1, step: 1, flags: ['not_key'] }],
    since: '7.0.0',
    summary: 'Listens to channels of shards.',
    syntax: 'shardchannel [shardchannel ...]',
    run: (call) => {
      const { arguments: found, reply, server, session } = call
      for (let place = 1; place < found.count; place++) {
        const name = latin1(found.bytes, found.start(place), found.end(place))
        server.channels.subscribeShard(session, name)
        replyChange(reply, 'ssubscribe', name, shardCountOf(session))
      }
    },
  },
  {
    ...pubsub,
    name: 'sunsubscribe',
    arity: -1,
    flags: listening,
    keys: [{ first: 1, last: -1, step: 1, flags: ['not_key'] }],
    since: '7.0.0',
    summary: 'Listens no more to channels of shards, or to any.',
    syntax: '[shardchannel [shardchannel ...]]',
    run: (call) => {
      const { server, session } = call
      const own = session.subscriptions?.shardChannels
      unsubscribe(call, 'sunsubscribe', own, shardCountOf, (name) => server.channels.unsubscribeShard(session, name))
    },
  },
  {
    ...pubsub,
    name: 'spublish',
    arity: 3,
    flags: ['pubsub', 'loading', 'stale', 'fast'],
    keys: [{ first: 1, last: 1, step: 1, flags: ['not_key'] }],
    since: '7.0.0',
    complexity: 'O(N) for N clients that listen',
    summary: 'Sends a message to those who listen to a channel of a shard, and tells how many they are.',
    syntax: 'shardchannel message',
    difference: 'A client that listens to its own message gets it behind the reply.',
    run: (call) => publish(call, 'smessage', (name) => call.server.channels.shardReceivers(name)),
  },
  {
    name: 'pubsub',
    arity: -2,
    flags: [],
    group: 'pubsub',
    categories: [],
    since: '2.8.0',
    complexity: 'O(1)',
    summary: 'Commands on channels.',
    syntax: 'subcommand [argument ...]',
    subcommands: [...subcommands, helpCommand('pubsub', 'pubsub', subcommands)],
  },
]

function subscribe(call: Call, kind: string, add: (name: string) => void): void {
  const { arguments: found, reply, session } = call
  for (let place = 1; place < found.count; place++) {
    const name = latin1(found.bytes, found.start(place), found.end(place))
    add(name)
    replyChange(reply, kind, name, subscriptionCount(session))
  }
}

function unsubscribe(
  call: Call,
  kind: string,
  own: ReadonlySet<string> | undefined,
  count: (session: Session) => number,
  drop: (name: string) => void,
): void {
  const { arguments: found, reply, session } = call
  if (found.count === 1 && (own === undefined || own.size === 0)) {
    replyChange(reply, kind, undefined, count(session))
    return
  }
  const names: string[] = found.count === 1 ? [...(own ?? [])] : []
  for (let place = 1; place < found.count; place++) {
    names.push(latin1(found.bytes, found.start(place), found.end(place)))
  }
  for (const name of names) {
    drop(name)
    replyChange(reply, kind, name, count(session))
  }
}

/** Channels of shards that a client listens to. */
function shardCountOf({ subscriptions }: Session): number {
  return subscriptions?.shardChannels.size ?? 0
}

function replyChange(reply: Reply, kind: string, name: string | undefined, count: number): void {
  reply.push(3)
  reply.bulkText(kind)
  if (name === undefined) reply.null()
  else replyName(reply, name)
  reply.integer(count)
}

function replyName(reply: Reply, name: string): void {
  const bytes = Buffer.from(name, 'latin1')
  reply.bulk(bytes, 0, bytes.length)
}

function publish(call: Call, kind: string, receiversOf: (channel: string) => readonly Receiver[]): void {
  const { arguments: found, reply, server } = call
  const channel = latin1(found.bytes, found.start(1), found.end(1))
  const receivers = receiversOf(channel)
  reply.integer(receivers.length)
  const message = { kind, channel, message: found.copy(2) }
  if (receivers.length > 0) deliver(server, receivers, message)
  // By itself it was sent to every worker; as a part of something else it runs on one of them.
  if (call.isInTransaction) server.later(() => server.tellOtherWorkers(message))
}

function listNames({ arguments: found, reply }: Call, all: Iterable<string>): void {
  const glob = found.count > 2 ? compileGlob(found.copy(2)) : undefined
  const names = [...all].filter((name) => {
    const bytes = Buffer.from(name, 'latin1')
    return glob?.matches(bytes, 0, bytes.length) ?? true
  })
  reply.array(names.length)
  for (const name of names) replyName(reply, name)
}

function countListeners({ arguments: found, reply }: Call, listeners: (name: string) => number): void {
  reply.array((found.count - 2) * 2)
  for (let place = 2; place < found.count; place++) {
    reply.bulk(found.bytes, found.start(place), found.end(place))
    reply.integer(listeners(latin1(found.bytes, found.start(place), found.end(place))))
  }
}
