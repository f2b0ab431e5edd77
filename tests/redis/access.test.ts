/** Access to a whole server process: TLS with real openssl and redis-cli, certificates that change, open files that run out. */

import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import tls from 'node:tls'
import { fileURLToPath } from 'node:url'
import { makeAuthority, missingOpenssl } from '@orbitkv/runtime/certificates'
import { RawClient } from './resp.ts'
import { missing, stop } from './servers.ts'

const program = fileURLToPath(new URL('../../apps/node/bin/orbit.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'orbit-access-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface ServerProcess {
  readonly child: ChildProcess
  readonly port: number
  readonly tlsPort: number
  /** Lines of its log so far. */
  readonly log: string[]
}

/** Starts `orbit serve`, by a shell where `limit` comes before. */
async function serve(name: string, args: readonly string[], limit = ''): Promise<ServerProcess> {
  const all = [
    program,
    'serve',
    '--data',
    join(folder, name),
    '--redis-port',
    '0',
    '--metrics-port',
    '0',
    '--json',
    ...args,
  ]
  const options = { stdio: ['ignore', 'pipe', 'pipe'] as const, env: { ...process.env, ORBIT_DEBUG: '1' } }
  const child =
    limit === ''
      ? spawn(process.execPath, all, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn('sh', ['-c', `${limit}; exec "$0" "$@"`, process.execPath, ...all], {
          ...options,
          stdio: ['ignore', 'pipe', 'pipe'],
        })
  const log: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line))
  for await (const line of createInterface({ input: child.stdout })) {
    const { redis } = JSON.parse(line) as { redis: { port: number; tls_port: number | null } }
    return { child, port: redis.port, tlsPort: redis.tls_port ?? 0, log }
  }
  throw new Error(`orbit serve ended with ${child.exitCode}: ${log.join('\n')}`)
}

interface Ran {
  readonly code: number | null
  readonly output: string
}

function run(command: string, args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(command, [...args], { timeout: 20_000 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, output: stdout + stderr }),
    )
    child.stdin?.end(input)
  })
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const skip = missingOpenssl() || missing('redis-cli')

describe('TLS', { skip }, () => {
  test('redis-cli and openssl speak to it; wrong certificates are refused; new ones are taken up', async () => {
    const ours = makeAuthority(folder, 'ours')
    const others = makeAuthority(folder, 'others')
    const [first, second, client, stranger] = [
      ours.issue('first'),
      ours.issue('second'),
      ours.issue('client'),
      others.issue('stranger'),
    ]
    const [certFile, keyFile] = [join(folder, 'server.pem'), join(folder, 'server.key')]
    const install = ({ certificateFile, keyFile: from }: typeof first): void => {
      copyFileSync(certificateFile, certFile)
      copyFileSync(from, keyFile)
    }
    install(first)
    const files = ['--tls-cert', certFile, '--tls-key', keyFile, '--tls-ca', ours.certificateFile]
    const server = await serve('tls', ['--tls-port', String(await freePort()), ...files])
    try {
      const { tlsPort } = server
      const cli = (own: typeof client | undefined, ...command: string[]): Promise<Ran> => {
        const shown = own === undefined ? [] : ['--cert', own.certificateFile, '--key', own.keyFile]
        const secure = ['--tls', '--cacert', ours.certificateFile, ...shown]
        return run('redis-cli', ['-h', '127.0.0.1', '-p', String(tlsPort), ...secure, ...command])
      }
      assert.equal((await cli(client, 'SET', 'a', '1')).output.trim(), 'OK')
      assert.equal((await cli(client, 'GET', 'a')).output.trim(), '1')
      assert.doesNotMatch((await cli(undefined, 'GET', 'a')).output, /^1/)
      assert.doesNotMatch((await cli(stranger, 'GET', 'a')).output, /^1/)
      assert.ok(
        server.log.some((line) => line.includes('a TLS handshake failed')),
        server.log.join('\n'),
      )
      const args = [
        's_client',
        '-connect',
        `127.0.0.1:${tlsPort}`,
        '-CAfile',
        ours.certificateFile,
        '-verify_return_error',
      ]
      const shown = await run(
        'openssl',
        [...args, '-cert', client.certificateFile, '-key', client.keyFile, '-quiet'],
        'QUIT\r\n',
      )
      assert.match(shown.output, /\+OK/)
      const old = await run('openssl', [...args, '-tls1_1'], 'QUIT\r\n')
      assert.doesNotMatch(old.output, /\+OK/)

      // An open connection goes on while the certificates change under it.
      const open = tls.connect({
        host: '127.0.0.1',
        port: tlsPort,
        ca: ours.certificate,
        cert: client.certificate,
        key: client.key,
      })
      await once(open, 'secureConnect')
      assert.equal(open.getPeerCertificate().subject.CN, 'first')
      install(second)
      const plain = await RawClient.connect(server.port)
      const set = await plain.call('CONFIG', 'SET', 'tls-cert-file', certFile, 'tls-key-file', keyFile)
      assert.deepEqual(set, { status: 'OK' })
      assert.match(
        (await run('openssl', [...args, '-cert', client.certificateFile, '-key', client.keyFile], 'QUIT\r\n')).output,
        /CN ?= ?second/,
      )
      const pong = once(open, 'data')
      open.write('PING\r\n')
      assert.equal(String((await pong)[0]), '+PONG\r\n')
      open.destroy()

      // Files that cannot be used change nothing, and the server says so.
      const wrong = await plain.call('CONFIG', 'SET', 'tls-key-file', first.keyFile)
      assert.ok('error' in wrong && /Unable to update TLS configuration/.test(wrong.error), JSON.stringify(wrong))
      assert.equal((await cli(client, 'GET', 'a')).output.trim(), '1')

      // Without a word from anybody the files are seen to change, too.
      install(first)
      const seen = new Promise<void>((resolve) => {
        const look = setInterval(() => {
          if (!server.log.some((line) => line.includes('certificates for TLS have changed and are in use'))) return
          clearInterval(look)
          resolve()
        }, 50)
      })
      await seen
      assert.match(
        (await run('openssl', [...args, '-cert', client.certificateFile, '-key', client.keyFile], 'QUIT\r\n')).output,
        /CN ?= ?first/,
      )
      plain.close()
    } finally {
      await stop(server.child)
    }
  })
})

describe('users', () => {
  test('a file of users from the configuration; no password is shown anywhere', async () => {
    const file = join(folder, 'users.acl')
    writeFileSync(file, 'user default on >topsecret ~* &* +@all\nuser ada on >alsosecret ~ada:* +@all\n')
    const server = await serve('users', ['--acl-file', file, '--redis-host', '0.0.0.0'])
    try {
      const client = await RawClient.connect(server.port)
      assert.deepEqual(await client.call('PING'), { error: 'NOAUTH Authentication required.' })
      assert.deepEqual(await client.call('AUTH', 'default', 'topsecret'), { status: 'OK' })
      await client.call('CONFIG', 'SET', 'slowlog-log-slower-than', '0')
      await client.call('AUTH', 'ada', 'alsosecret')
      await client.call('HELLO', '2', 'AUTH', 'default', 'topsecret')
      await client.call('ACL', 'SETUSER', 'eve', 'on', '>thirdsecret')
      await client.call('CONFIG', 'SET', 'requirepass', 'fourthsecret')
      assert.deepEqual(await client.call('ACL', 'SAVE'), { status: 'OK' })
      const shown = JSON.stringify([
        await client.call('SLOWLOG', 'GET', '100'),
        await client.call('CONFIG', 'GET', '*'),
        await client.call('ACL', 'LIST'),
        await client.call('ACL', 'LOG'),
        await client.call('CLIENT', 'LIST'),
        await client.call('INFO', 'everything'),
        server.log,
        readFileSync(file, 'latin1'),
      ])
      for (const secret of ['topsecret', 'alsosecret', 'thirdsecret', 'fourthsecret'])
        assert.ok(!shown.includes(secret), secret)
      assert.match(readFileSync(file, 'latin1'), /user eve on #[0-9a-f]{64}/)
      client.close()
    } finally {
      await stop(server.child)
    }
  })
})

describe('too many open files', () => {
  test('the newcomers are turned away, who is connected goes on, and there is room again when some leave', async () => {
    const server = await serve('files', [], 'ulimit -n 100')
    const sockets: net.Socket[] = []
    try {
      const client = await RawClient.connect(server.port)
      assert.deepEqual(await client.call('SET', 'a', '1'), { status: 'OK' })
      const answers = await Promise.all(Array.from({ length: 200 }, () => ping(server.port, sockets)))
      const served = answers.filter((answer) => answer === '+PONG\r\n').length
      assert.ok(served > 10 && served < 100, `${served} were served`)
      assert.deepEqual(await client.call('SET', 'a', '2'), { status: 'OK' })
      assert.deepEqual(await client.call('GET', 'a'), { bulk: '2' })
      for (const socket of sockets) socket.destroy()
      let answer = ''
      while (answer !== '+PONG\r\n') answer = await ping(server.port, sockets)
      assert.equal(server.child.exitCode, null)
      client.close()
    } finally {
      for (const socket of sockets) socket.destroy()
      await stop(server.child)
    }
  })
})

/** What a new connection answers to PING; empty if it is closed first. The connection stays. */
function ping(port: number, sockets: net.Socket[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    sockets.push(socket)
    socket.once('data', (bytes) => resolve(String(bytes)))
    socket.once('error', () => resolve(''))
    socket.once('close', () => resolve(''))
  })
}
