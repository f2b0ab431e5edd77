/**
 * The page `/metrics`, over HTTP/1.1: as much of it as a scraper needs, on the network door, so that it runs in simulation.
 *
 * What must hold: a connection is answered once and closed; it holds at most `requestBytesMax` of a request, and no longer
 * than `requestMsMax`; no more than `connectionsMax` are open.
 */

import { decodeText, encodeText } from '@orbitkv/bytes'
import type { Address, Clock, Connection, Network } from '@orbitkv/runtime'
import { type Family, writeMetrics } from './families.ts'

const requestBytesMax = 16 * 1024
const requestMsMax = 10_000
const connectionsMax = 64

export interface MetricsOptions {
  readonly network: Network
  readonly clock: Clock
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Called for each scrape. */
  readonly collect: () => readonly Family[] | Promise<readonly Family[]>
  /** Told what went wrong in `collect`. */
  readonly onError: (error: unknown) => void
}

export interface MetricsPage {
  readonly address: Address
  close(): Promise<void>
}

/** Fails with `network.address_in_use`, `network.address_refused`. */
export async function startMetrics(options: MetricsOptions): Promise<MetricsPage> {
  const { network, host, port } = options
  const open = new Set<Connection>()
  const listener = await network.listen({ host, port }, (connection) => {
    if (open.size >= connectionsMax) {
      connection.destroy()
      return
    }
    open.add(connection)
    serve(connection, options, () => open.delete(connection))
  })
  return {
    address: listener.address,
    async close() {
      await listener.close()
      for (const connection of open) connection.destroy()
    },
  }
}

function serve(connection: Connection, options: MetricsOptions, closed: () => void): void {
  let request = ''
  let isAnswered = false
  let isClosed = false
  const timer = options.clock.after(requestMsMax, () => connection.destroy())
  connection.onDrain = () => {}
  connection.onClose = () => {
    isClosed = true
    timer.cancel()
    closed()
  }
  connection.onData = (bytes, start, end) => {
    if (isAnswered) return
    request += decodeText(bytes.slice(start, end))
    const isWhole = request.includes('\r\n\r\n')
    if (!isWhole && request.length <= requestBytesMax) return
    isAnswered = true
    if (isWhole) void answer(request, options).then(respond)
    else respond(textResponse('431 Request Header Fields Too Large', ''))
  }
  const respond = (response: Uint8Array): void => {
    if (isClosed) return
    connection.send(response, 0, response.length)
    connection.end()
  }
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

/** Never fails. */
async function answer(request: string, { collect, onError }: MetricsOptions): Promise<Uint8Array> {
  const [line = ''] = request.split('\r\n', 1)
  const match = /^([A-Z]+) ([^ ]+) HTTP\/1\.[01]$/.exec(line)
  if (match === null) return textResponse('400 Bad Request', 'This is no request of HTTP/1.1.\n')
  const [, method, target = ''] = match
  const isHead = method === 'HEAD'
  if (method !== 'GET' && !isHead)
    return textResponse('405 Method Not Allowed', 'There is GET and HEAD.\n', ['allow: GET, HEAD'])
  if (target.split('?', 1)[0] !== '/metrics') return textResponse('404 Not Found', 'There is /metrics.\n', [], isHead)
  let page: string
  try {
    page = writeMetrics(await collect())
  } catch (error) {
    onError(error)
    return textResponse('503 Service Unavailable', 'The metrics cannot be told now; the log says why.\n', [], isHead)
  }
  return response('200 OK', page, [`content-type: ${metricsType}`], isHead)
}

function textResponse(status: string, body: string, headers: readonly string[] = [], isHead = false): Uint8Array {
  return response(status, body, ['content-type: text/plain; charset=utf-8', ...headers], isHead)
}

function response(status: string, body: string, headers: readonly string[], isHead: boolean): Uint8Array {
  const bytes = encodeText(body)
  const head = encodeText(
    [`HTTP/1.1 ${status}`, ...headers, `content-length: ${bytes.length}`, 'connection: close', '', ''].join('\r\n'),
  )
  if (isHead) return head
  const all = new Uint8Array(head.length + bytes.length)
  all.set(head)
  all.set(bytes, head.length)
  return all
}
