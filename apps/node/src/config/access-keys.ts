/** Keys on who may connect and do what: passwords, users, TLS. Only `redis.requirepass` is a secret, and never shown. */

import { choice, count, flag, text } from '@orbitkv/base'
import { isLoopback } from '@orbitkv/redis'
import { type ConfigKey, configKey } from './key.ts'

export const accessKeys: readonly ConfigKey[] = [
  configKey(
    'redis.requirepass',
    text({
      default: '',
      why: 'the password of the default user, as in Redis; empty lets everybody in who can connect. ORBIT_REDIS_REQUIREPASS keeps it out of files; redis.acl_file has it as a hash',
    }),
    { isSecret: true },
  ),
  configKey(
    'redis.acl_file',
    text({
      default: '',
      why: 'a file of users in the form of Redis, read at the start, written by ACL SAVE; it has the last word about the default user',
    }),
  ),
  configKey(
    'redis.acl_pubsub_default',
    choice({
      default: 'resetchannels',
      choices: ['resetchannels', 'allchannels'],
      why: 'which channels a new user may use, as in Redis',
    }),
  ),
  configKey(
    'redis.tls_port',
    count({ default: 0, min: 0, max: 65_535, why: 'a port for TLS beside the plain one; 0: none' }),
  ),
  configKey('redis.tls_only', flag({ default: false, why: 'no plain port beside that for TLS' })),
  configKey(
    'redis.tls_cert_file',
    text({ default: '', why: 'the certificate in PEM, with those it depends on; read again when it changes' }),
  ),
  configKey('redis.tls_key_file', text({ default: '', why: 'the key of the certificate, in PEM' })),
  configKey('redis.tls_ca_cert_file', text({ default: '', why: "who may have signed clients' certificates, in PEM" })),
  configKey(
    'redis.tls_auth_clients',
    choice({
      default: 'yes',
      choices: ['yes', 'optional', 'no'],
      why: 'whether clients must show a certificate over TLS, as in Redis; optional: none or a good one',
    }),
  ),
]

/** What of it does not go together; `valueOf` gives the value of a path. */
export function accessFaults(valueOf: (path: string) => unknown): { path: string; fault: string }[] {
  const faults: { path: string; fault: string }[] = []
  const isSet = (path: string): boolean => valueOf(path) !== '' && valueOf(path) !== 0 && valueOf(path) !== false
  const isGuarded = isSet('redis.requirepass') || isSet('redis.acl_file') || !isSet('redis.protected_mode')
  if (!isGuarded && !isLoopback(valueOf('redis.host') as string)) {
    const fault = 'must be this machine (127.0.0.1, ::1 or localhost) without redis.requirepass or redis.acl_file'
    faults.push({ path: 'redis.host', fault })
  }
  if (isSet('redis.tls_port')) {
    for (const path of ['redis.tls_cert_file', 'redis.tls_key_file']) {
      if (!isSet(path)) faults.push({ path, fault: 'must name a file, since redis.tls_port is set' })
    }
    if (valueOf('redis.tls_auth_clients') !== 'no' && !isSet('redis.tls_ca_cert_file')) {
      const fault =
        "must name a file, or whose certificates of clients are good is not known; with redis.tls_auth_clients = 'no' none are asked for"
      faults.push({ path: 'redis.tls_ca_cert_file', fault })
    }
  } else if (isSet('redis.tls_only')) faults.push({ path: 'redis.tls_only', fault: 'needs redis.tls_port' })
  return faults
}
