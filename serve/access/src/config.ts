/** Limits of logging in and of what one user or address may ask for. */

import { config, count, duration, hour, type Values } from '@orbitkv/base'

const perSecondMax = 1_000_000_000_000

function perSecond(why: string) {
  return count({
    default: 0,
    min: 0,
    max: perSecondMax,
    why: `${why}; more is refused, with when to try again; 0: no limit`,
  })
}

export const accessConfig = config({
  loginFailuresMax: count({
    default: 10,
    min: 0,
    max: 1_000_000,
    why: 'wrong passwords in a row from an address (ten times as many for a user) before it has to wait; 0: never',
  }),
  loginDelayMs: duration({
    default: 1000,
    min: 1,
    max: hour,
    why: 'the first such wait; each further failure doubles it',
  }),
  loginLockoutMs: duration({
    default: 900_000,
    min: 1,
    max: 24 * hour,
    why: 'the longest such wait; after as long without a failure all is forgotten',
  }),
  deniedEntriesMax: count({
    default: 128,
    min: 0,
    max: 100_000,
    why: 'entries of ACL LOG, which tells what was denied to whom',
  }),
  userCommandsPerSecondMax: perSecond('commands that all connections of one user may run in a second'),
  userBytesPerSecondMax: perSecond('bytes of requests and replies of one user in a second'),
  addressCommandsPerSecondMax: perSecond('commands that all connections from one address may run in a second'),
  addressBytesPerSecondMax: perSecond('bytes of requests and replies of one address in a second'),
})

export type AccessLimits = Values<typeof accessConfig.settings>
