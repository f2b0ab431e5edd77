/**
 * The port for TLS: certificates from files, and again from them when they change or CONFIG SET says so.
 *
 * What must hold: files that cannot be used leave those in use that were; it is told once for each change of the files. The
 * time of a change is looked at, since not every file system tells of changes.
 */

import { readFileSync, statSync } from 'node:fs'
import { second } from '@orbitkv/base'
import type { TlsDoor } from '@orbitkv/redis'
import { type ClientCertificates, type Clock, createTlsNetwork, type Timer, type TlsOptions } from '@orbitkv/runtime'
import type { Configuration } from '../config/load.ts'
import { cliErrors } from '../errors.ts'
import type { Logger } from './log.ts'

/** How often the files are looked at. */
const lookMs = 2 * second

const certificatesByWord: Readonly<Record<string, ClientCertificates>> = {
  no: 'none',
  optional: 'optional',
  yes: 'required',
}

type Settings = Readonly<Record<'tls-cert-file' | 'tls-key-file' | 'tls-ca-cert-file' | 'tls-auth-clients', string>>

export interface TlsPort {
  readonly door: TlsDoor
  /** Looks at the files no more. */
  stop(): void
}

/** Undefined where none is configured. Errors: `cli.tls_file`, `network.tls_unusable`. */
export function openTlsPort(config: Configuration, clock: Clock, logger: Logger): TlsPort | undefined {
  const port = config.number('redis.tls_port')
  if (port === 0) return undefined
  let settings: Settings = {
    'tls-cert-file': config.text('redis.tls_cert_file'),
    'tls-key-file': config.text('redis.tls_key_file'),
    'tls-ca-cert-file': config.text('redis.tls_ca_cert_file'),
    'tls-auth-clients': config.text('redis.tls_auth_clients'),
  }
  const network = createTlsNetwork(optionsOf(settings), ({ host }, reason) =>
    logger.tell('debug', 'a TLS handshake failed', { host, reason }),
  )
  let seen = changesOf(settings)
  const prepare: TlsDoor['prepare'] = (changed) => {
    const next = { ...settings, ...changed }
    const options = optionsOf(next)
    // A key that does not go with its certificate is refused before anything changes.
    createTlsNetwork(options)
    return () => {
      network.use(options)
      settings = next
      seen = changesOf(next)
    }
  }
  const look = (): void => {
    const now = changesOf(settings)
    if (now !== seen) {
      seen = now
      try {
        prepare({})()
        logger.tell('info', 'the certificates for TLS have changed and are in use')
      } catch (error) {
        logger.log('warn', 'the certificates for TLS have changed and cannot be used: those before stay in use', error)
      }
    }
    timer = clock.after(lookMs, look)
  }
  let timer: Timer = clock.after(lookMs, look)
  return {
    door: { network, port, isOnly: config.get('redis.tls_only') === true, settings: () => settings, prepare },
    stop: () => timer.cancel(),
  }
}

function optionsOf(settings: Settings): TlsOptions {
  const authorities = settings['tls-ca-cert-file']
  const word = settings['tls-auth-clients']
  const clients = certificatesByWord[word]
  if (clients === undefined) throw cliErrors.tls_clients({ word })
  return {
    certificate: read(settings['tls-cert-file']),
    key: read(settings['tls-key-file']),
    ...(authorities === '' ? {} : { authorities: read(authorities) }),
    clients,
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw cliErrors.tls_file({ path, reason: (error as NodeJS.ErrnoException).code ?? 'unknown' }, error)
  }
}

/** What tells one state of the files from another; a file that is gone counts as a change, too. */
function changesOf(settings: Settings): string {
  const paths = [settings['tls-cert-file'], settings['tls-key-file'], settings['tls-ca-cert-file']]
  return paths
    .filter((path) => path !== '')
    .map((path) => {
      const facts = statSync(path, { throwIfNoEntry: false })
      return facts === undefined ? 'gone' : `${facts.mtimeMs} ${facts.ino} ${facts.size}`
    })
    .join(', ')
}
