/** SUBSCRIBE, PUBLISH and their kin. Messages go to who listens now; none is kept. */

import { subscriptionCount } from '../channels.ts'
import { compileGlob } from '../protocol/glob.ts'
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
    run: listChannels,
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
    run: ({ arguments: found, reply, server }) => {
      reply.array((found.count - 2) * 2)
      for (let place = 2; place < found.count; place++) {
        reply.bulk(found.bytes, found.start(place), found.end(place))
        reply.integer(server.channels.listeners(latin1(found.bytes, found.start(place), found.end(place))))
      }
    },
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
      unsubscribe(call, 'unsubscribe', own, (name) => server.channels.unsubscribe(session, name))
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
      unsubscribe(call, 'punsubscribe', own, (name) => server.channels.unsubscribePattern(session, name))
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
    run: publish,
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
    difference: 'Channels of shards (SSUBSCRIBE, SPUBLISH, SHARDCHANNELS, SHARDNUMSUB) are not there.',
    subcommands: [...subcommands, helpCommand('pubsub', 'pubsub', subcommands)],
  },
]

function subscribe(call: Call, kind: string, add: (name: string) => void): void {
  const { arguments: found, reply, session } = call
  for (let place = 1; place < found.count; place++) {
    const name = latin1(found.bytes, found.start(place), found.end(place))
    add(name)
    replyChange(reply, session, kind, name)
  }
}

function unsubscribe(
  call: Call,
  kind: string,
  own: ReadonlySet<string> | undefined,
  drop: (name: string) => void,
): void {
  const { arguments: found, reply, session } = call
  if (found.count === 1 && (own === undefined || own.size === 0)) {
    replyChange(reply, session, kind, undefined)
    return
  }
  const names: string[] = found.count === 1 ? [...(own ?? [])] : []
  for (let place = 1; place < found.count; place++) {
    names.push(latin1(found.bytes, found.start(place), found.end(place)))
  }
  for (const name of names) {
    drop(name)
    replyChange(reply, session, kind, name)
  }
}

function replyChange(reply: Reply, session: Session, kind: string, name: string | undefined): void {
  reply.push(3)
  reply.bulkText(kind)
  if (name === undefined) reply.null()
  else replyName(reply, name)
  reply.integer(subscriptionCount(session))
}

function replyName(reply: Reply, name: string): void {
  const bytes = Buffer.from(name, 'latin1')
  reply.bulk(bytes, 0, bytes.length)
}

function publish(call: Call): void {
  const { arguments: found, reply, server } = call
  const channel = latin1(found.bytes, found.start(1), found.end(1))
  const receivers = server.channels.receivers(channel)
  reply.integer(receivers.length)
  if (receivers.length === 0) return
  const message = found.copy(2)
  server.later(() => {
    for (const { session, pattern } of receivers) {
      server.message(session, (to) => {
        to.push(pattern === undefined ? 3 : 4)
        to.bulkText(pattern === undefined ? 'message' : 'pmessage')
        if (pattern !== undefined) replyName(to, pattern)
        replyName(to, channel)
        to.bulk(message, 0, message.length)
      })
    }
  })
}

function listChannels({ arguments: found, reply, server }: Call): void {
  const glob = found.count > 2 ? compileGlob(found.copy(2)) : undefined
  const names = [...server.channels.names()].filter((name) => {
    const bytes = Buffer.from(name, 'latin1')
    return glob?.matches(bytes, 0, bytes.length) ?? true
  })
  reply.array(names.length)
  for (const name of names) replyName(reply, name)
}
