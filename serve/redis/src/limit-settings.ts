/**
 * Limits and access as settings: by the names that Redis has for them, and otherwise by our own with dashes
 * (`login-failures-max`).
 *
 * What must hold: a change that would leave limits that contradict each other is refused; no setting shows a password.
 */

import { accessConfig, textOf } from '@orbitkv/access'
import { type RedisLimits, redisConfig } from './config.ts'
import type { TlsDoor } from './doors.ts'
import { bufferLimitText, readBufferLimits, readMemory } from './protocol/limit-texts.ts'
import type { Setting } from './settings.ts'
import type { ServerView } from './view.ts'

type Change = NonNullable<Setting['change']>

/** Limits that Redis has a name of its own for, or that are given at the start. */
const namedOtherwise = new Set<string>([
  'clientsMax',
  'bulkBytesMax',
  'frameBytesMax',
  'outputBytesMax',
  'outputSoftBytes',
  'outputSoftMs',
  'messageBytesMax',
  'messageSoftBytes',
  'messageSoftMs',
  'idleTimeoutMs',
  'buffersBytesMax',
  'protectedMode',
  'deniedEntriesMax',
])

const shownForPassword = '***'

export function limitSettings(server: ServerView, limits: RedisLimits): Record<string, Setting> {
  return {
    ...ownNames(limits, redisConfig, () => {}),
    ...ownNames(server.access.limits, accessConfig, () => server.access.limitsChanged()),
    ...accessSettings(server),
    ...tlsSettings(server),
    maxclients: {
      get: () => limits.clientsMax,
      change: changed(limits, (text) => ({ clientsMax: wholeNumber(text) })),
    },
    timeout: {
      get: () => Math.ceil(limits.idleTimeoutMs / 1000),
      change: changed(limits, (text) => ({ idleTimeoutMs: wholeNumber(text) * 1000 })),
    },
    'proto-max-bulk-len': {
      get: () => limits.bulkBytesMax,
      change: changed(limits, (text) => ({ bulkBytesMax: readMemory(text) })),
    },
    'client-query-buffer-limit': {
      get: () => limits.frameBytesMax,
      change: changed(limits, (text) => ({ frameBytesMax: readMemory(text) })),
    },
    'maxmemory-clients': { get: () => limits.buffersBytesMax },
    'client-output-buffer-limit': {
      get: () => bufferLimitText(limits),
      change: (text) => {
        const read = readBufferLimits(text, limits)
        return typeof read === 'string' ? read : changed(limits, () => read)(text, new Map())
      },
    },
    'protected-mode': {
      get: () => (limits.protectedMode ? 'yes' : 'no'),
      change: changed(limits, (text) => ({ protectedMode: text })),
    },
  }
}

function accessSettings({ access }: ServerView): Record<string, Setting> {
  const { users, limits } = access
  return {
    requirepass: {
      get: () => (access.isOpenToAll ? '' : shownForPassword),
      change: (text) => () => users.setDefaultPassword(textOf(Buffer.from(text))),
    },
    aclfile: { get: () => access.file?.path ?? '' },
    'acllog-max-len': {
      get: () => limits.deniedEntriesMax,
      change: changedIn(
        limits,
        accessConfig,
        (text) => ({ deniedEntriesMax: wholeNumber(text) }),
        () => access.limitsChanged(),
      ),
    },
    'acl-pubsub-default': {
      get: () => (users.hasChannelsAtFirst ? 'allchannels' : 'resetchannels'),
      change: (text) => {
        if (text !== 'allchannels' && text !== 'resetchannels') {
          return 'argument(s) must be one of the following: allchannels, resetchannels'
        }
        return () => {
          users.hasChannelsAtFirst = text === 'allchannels'
        }
      },
    },
  }
}

/** Of the port for TLS, where there is one: a change reads the files anew. */
function tlsSettings(server: ServerView): Record<string, Setting> {
  const { tls } = server
  if (tls === undefined) return { 'tls-port': { get: () => 0 } }
  const names = Object.keys(tls.settings())
  const settings = names.map((name): [string, Setting] => [
    name,
    {
      get: () => tls.settings()[name] as string,
      change: (_, together) => prepareTls(tls, together),
    },
  ])
  return { 'tls-port': { get: () => server.tlsAddress?.port ?? tls.port }, ...Object.fromEntries(settings) }
}

/** Key and certificate change together, or they would not go together. */
function prepareTls(tls: TlsDoor, together: ReadonlyMap<string, string>): (() => void) | string {
  const known = tls.settings()
  const changed = [...together].filter(([name]) => name in known)
  try {
    return tls.prepare(Object.fromEntries(changed))
  } catch (error) {
    return `Unable to update TLS configuration: ${(error as Error).message}`
  }
}

interface Table<Values> {
  readonly settings: Readonly<Record<string, unknown>>
  read(raw: Readonly<Record<string, unknown>>): { values: Values; faults: readonly { fault: string }[] }
}

function ownNames<Values extends object>(
  values: Values,
  table: Table<Values>,
  then: () => void,
): Record<string, Setting> {
  const names = Object.keys(table.settings).filter((name) => !namedOtherwise.has(name))
  const settings = names.map((name): [string, Setting] => [
    name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`),
    {
      get: () => String((values as Readonly<Record<string, unknown>>)[name]),
      change: changedIn(values, table, (text) => ({ [name]: text }), then),
    },
  ])
  return Object.fromEntries(settings)
}

function changed(limits: RedisLimits, read: (text: string) => Readonly<Record<string, unknown>>): Change {
  return changedIn(limits, redisConfig, read, () => {})
}

/** A change of some values of a table, which must go together with the others. */
function changedIn<Values extends object>(
  values: Values,
  table: Table<Values>,
  read: (text: string) => Readonly<Record<string, unknown>>,
  then: () => void,
): Change {
  return (text) => {
    const part = read(text)
    const { values: next, faults } = table.read({ ...values, ...part })
    const [fault] = faults
    if (fault !== undefined) return fault.fault
    return () => {
      for (const name of Object.keys(part)) Object.assign(values, { [name]: (next as Record<string, unknown>)[name] })
      then()
    }
  }
}

/** NaN, which no limit takes, for what is none. */
function wholeNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
}
