/** Messages of channels on their way to who listens: those of PUBLISH, and those that the server has of keys (notifications.ts). */

import type { Receiver } from './channels.ts'
import type { ServerView } from './view.ts'

export interface Message {
  /** `message` or `smessage`; to who listens to a pattern it is a `pmessage`. */
  readonly kind: string
  /** As latin1. */
  readonly channel: string
  readonly message: Uint8Array
}

/** Sends a message once the command at hand has its reply. */
export function deliver(server: ServerView, receivers: readonly Receiver[], message: Message): void {
  server.later(() => deliverNow(server, receivers, message))
}

/** Sends a message where no command is at hand. */
export function deliverNow(
  server: ServerView,
  receivers: readonly Receiver[],
  { kind, channel, message }: Message,
): void {
  const channelBytes = Buffer.from(channel, 'latin1')
  for (const { session, pattern } of receivers) {
    server.message(session, (to) => {
      to.push(pattern === undefined ? 3 : 4)
      to.bulkText(pattern === undefined ? kind : 'pmessage')
      if (pattern !== undefined) {
        const patternBytes = Buffer.from(pattern, 'latin1')
        to.bulk(patternBytes, 0, patternBytes.length)
      }
      to.bulk(channelBytes, 0, channelBytes.length)
      to.bulk(message, 0, message.length)
    })
  }
}
