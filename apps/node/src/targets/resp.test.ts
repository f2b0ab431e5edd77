/** The Redis client: replies in pieces, replies that are none, servers that are not there or leave. */

import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { hasCode } from '@orbitkv/base'
import { realClock } from '@orbitkv/runtime'
import { parseUrl, type Reply, ReplyParser, RespClient, ServerError } from './resp.ts'
import { globOfPrefix } from './server.ts'

function parse(input: string, blockBytes: number): Reply[] {
  const parser = new ReplyParser()
  const replies: Reply[] = []
  const bytes = Buffer.from(input, 'latin1')
  for (let place = 0; place < bytes.length; place += blockBytes) {
    parser.add(bytes.subarray(place, place + blockBytes))
    for (let parsed = parser.next(); parsed !== undefined; parsed = parser.next()) replies.push(parsed.reply)
  }
  return replies
}

test('every kind of reply, in blocks of any size', () => {
  const stream = '+OK\r\n-ERR no\r\n:-42\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*3\r\n$0\r\n\r\n:1\r\n*1\r\n+x\r\n_\r\n'
  const expected = [
    'OK',
    new ServerError('ERR no'),
    -42,
    new Uint8Array(Buffer.from('a\r\n')),
    null,
    null,
    [new Uint8Array(0), 1, ['x']],
    null,
  ]
  for (let blockBytes = 1; blockBytes <= stream.length; blockBytes++)
    assert.deepEqual(parse(stream, blockBytes), expected)
})

test('what is no reply is told, and announced sizes are bounded', () => {
  for (const wrong of ['HTTP/1.1 400\r\n', ':x\r\n', '$99999999999\r\n', `${'*1\r\n'.repeat(20)}`])
    assert.throws(() => parse(wrong, 1000), wrong)
})

test('addresses', () => {
  const plain = { user: '', isSecure: false }
  assert.deepEqual(parseUrl('redis://localhost'), { host: 'localhost', port: 7379, ...plain })
  assert.deepEqual(parseUrl('redis://[::1]:6379/0'), { host: '::1', port: 6379, ...plain })
  const secure = { host: 'localhost', port: 7379, user: 'a da', isSecure: true }
  assert.deepEqual(parseUrl('rediss://a%20da@localhost'), secure)
  for (const [url, fault] of [
    ['localhost:7379', /redis:/],
    ['http://localhost', /http:\/\/ is not redis:\/\//],
    ['redis://me:secret@localhost', /password goes into ORBIT_REDIS_PASSWORD/],
    ['redis://:secret@localhost', /password goes into ORBIT_REDIS_PASSWORD/],
    ['redis://me:sec@ret@local host', /no URL/],
    ['redis://localhost/3', /only database 0/],
    ['redis://', /no host|no URL/],
    ['', /no URL/],
  ] as const) {
    assert.throws(
      () => parseUrl(url),
      (error) => hasCode(error, 'cli.bad_url') && fault.test(String(error)) && !/secret|ret@/.test(String(error)),
      url,
    )
  }
})

test('a prefix as a pattern stands for itself', () => {
  assert.equal(Buffer.from(globOfPrefix(Buffer.from('a*?[b]\\'))).toString(), 'a\\*\\?\\[b\\]\\\\*')
})

async function withServer(serve: (socket: Socket) => void, use: (url: string) => Promise<void>): Promise<void> {
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
}

test('replies come back in the order of the commands', () =>
  withServer(
    (socket) => socket.once('data', () => socket.write(':1\r\n:2\r\n')),
    async (url) => {
      const client = await RespClient.connect(url, realClock)
      assert.deepEqual(await Promise.all([client.send(['A']), client.send(['B'])]), [1, 2])
      await client.close()
    },
  ))

test('it logs in before anything else, or says why it cannot', async () => {
  const asked: string[] = []
  const serve = (answer: string) => (socket: Socket) =>
    socket.on('data', (bytes) => {
      asked.push(bytes.toString())
      socket.write(answer)
    })
  await withServer(serve('+OK\r\n'), async (url) => {
    const withUser = url.replace('//', '//ada@')
    const client = await RespClient.connect(withUser, realClock, 'pw')
    assert.equal(await client.send(['PING']), 'OK')
    await client.close()
    assert.deepEqual(asked, ['*3\r\n$4\r\nAUTH\r\n$3\r\nada\r\n$2\r\npw\r\n', '*1\r\n$4\r\nPING\r\n'])
    await assert.rejects(RespClient.connect(withUser, realClock), (error) => hasCode(error, 'cli.bad_url'))
  })
  await withServer(serve('-WRONGPASS no\r\n'), async (url) => {
    await assert.rejects(
      RespClient.connect(url, realClock, 'pw'),
      (error) => hasCode(error, 'cli.server_error') && /WRONGPASS/.test(String(error)),
    )
  })
})

test('a server that speaks something else, one that leaves, and one that is not there', async () => {
  await withServer(
    (socket) => socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n')),
    async (url) => {
      const client = await RespClient.connect(url, realClock)
      await assert.rejects(client.send(['PING']), (error) => hasCode(error, 'cli.not_redis'))
    },
  )
  let gone = ''
  await withServer(
    (socket) => socket.once('data', () => socket.end()),
    async (url) => {
      gone = url
      const client = await RespClient.connect(url, realClock)
      await assert.rejects(client.send(['PING']), (error) => hasCode(error, 'cli.server_left'))
      await assert.rejects(client.send(['PING']), (error) => hasCode(error, 'cli.server_left'), 'and ever after')
    },
  )
  await assert.rejects(
    RespClient.connect(gone, realClock),
    (error) => hasCode(error, 'cli.no_server') && /ECONNREFUSED/.test(String(error)),
  )
})
