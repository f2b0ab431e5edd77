/** What clients are told who may not do something, as Redis 7.0 words it where it has words for it. */

import type { Denial, RateDenial } from '@orbitkv/access'
import type { Command } from '../commands/command.ts'

export const noPasswords =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?'
export const wrongPassword = 'WRONGPASS invalid username-password pair or user is disabled.'
export const notLoggedIn = 'NOAUTH Authentication required.'

export function waitText(waitMs: number): string {
  return `WRONGPASS too many wrong passwords. Try again in ${Math.ceil(waitMs / 1000)} seconds.`
}

const nouns = { key: 'keys', channel: 'channels' } as const

export function denialText({ reason }: Denial, { fullName }: Command): string {
  return reason === 'command'
    ? `NOPERM this user has no permissions to run the '${fullName}' command`
    : `NOPERM this user has no permissions to access one of the ${nouns[reason]} used as arguments`
}

const reasons: Readonly<Record<Denial['reason'], string>> = {
  command: 'no permission to execute the command or subcommand',
  key: 'no permission to touch the specified keys',
  channel: 'no permission to access one of the channels used as arguments to the command',
}

/** Of a command that was queued while it was allowed. */
export function changedRules({ reason }: Denial): string {
  return `NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: ${reasons[reason]}`
}

export function rateText({ metered, what, perSecondMax, waitMs }: RateDenial): string {
  return `ERR the limit of ${perSecondMax} ${what} a second for this ${metered} is reached. Try again in ${waitMs} ms.`
}
