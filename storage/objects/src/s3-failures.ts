/** What a failed request to S3 means: which of our errors it is, and whether trying again may help. */

import { hasCode, OrbitError } from '@orbitkv/base'
import { objectsErrors } from './errors.ts'
import type { Failure } from './retry.ts'

export interface RequestName {
  readonly operation: string
  readonly key: string
  /** Bucket and endpoint. */
  readonly where: string
}

/** What the SDK throws, as far as it is looked at. */
interface SdkError {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

const expired = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired'])
const slow = new Set(['SlowDown', 'TooManyRequests', 'TooManyRequestsException', 'Throttling', 'ThrottlingException'])
/** Of a connection that broke while the answer was coming. */
const cut = new Set(['ECONNRESET', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'EPIPE'])

type Kind = 'overloaded' | 'server_failed' | 'unreachable' | 'truncated'

export function classifyFailure(error: unknown, request: RequestName): Failure {
  // Ours already, such as damage that a read found: it may have come about on the way.
  if (error instanceof OrbitError) {
    return { mayPass: hasCode(error, 'objects.corrupt') || hasCode(error, 'objects.truncated'), error: () => error }
  }
  const { name = '', message = '', code = '', $metadata } = (error ?? {}) as SdkError
  const status = $metadata?.httpStatusCode ?? 0
  const reason = [name === 'Error' ? code : name, message].filter((part) => part !== '').join(': ')
  const passing = (kind: Kind): Failure => ({
    mayPass: true,
    error: (attempts) => objectsErrors[kind]({ ...request, attempts, reason }, error),
  })
  const final = (kind: Exclude<keyof typeof objectsErrors.specs, Kind>): Failure => ({
    mayPass: false,
    error: () => objectsErrors[kind]({ ...request, reason }, error),
  })
  if (name === 'AbortError') return final('stopped')
  if (expired.has(name)) return final('credentials_expired')
  if (name === 'CredentialsProviderError') return final('no_credentials')
  if (name === 'NoSuchBucket') return final('no_bucket')
  if (slow.has(name) || status === 503 || status === 429) return passing('overloaded')
  if (status >= 500 || name === 'RequestTimeout' || status === 409) return passing('server_failed')
  if (status === 401 || status === 403) return final('denied')
  if (status === 404) return final('not_found')
  if (status === 412) return final('exists')
  if (status >= 400) return final('refused')
  if (status >= 200 && cut.has(code)) return passing('truncated')
  return passing(message === 'aborted' ? 'truncated' : 'unreachable')
}
