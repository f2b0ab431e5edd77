/** The address of a Redis that is copied. What is shown of it never has the password. */

import { cliErrors } from '../../errors.ts'
import type { DialAddress } from '../../targets/resp.ts'

export interface SourceAddress extends DialAddress {
  /** Empty where none is given. */
  readonly user: string
  readonly password: string
  readonly database: number
}

const portDefault = 6379

/** `password` stands in for one in the address. Errors: `cli.source_address`. */
export function parseSourceAddress(text: string, password: string | undefined): SourceAddress {
  const shown = text.replace(/\/\/[^@/]*@/, '//')
  const refuse = (problem: string) => cliErrors.source_address({ source: shown, problem })
  if (!URL.canParse(text)) throw refuse('it is no URL')
  const url = new URL(text)
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') throw refuse(`${url.protocol}// is not redis://`)
  if (url.hostname === '') throw refuse('it names no host')
  const path = /^\/?(\d{0,5})$/.exec(url.pathname)
  if (path === null) throw refuse(`${url.pathname} is no number of a database`)
  const database = Number(path[1] || '0')
  const port = url.port === '' ? portDefault : Number(url.port)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    url: `${url.protocol}//${url.hostname}:${port}${database === 0 ? '' : `/${database}`}`,
    host,
    port,
    isSecure: url.protocol === 'rediss:',
    user: decodeURIComponent(url.username),
    password: url.password === '' ? (password ?? '') : decodeURIComponent(url.password),
    database,
  }
}
