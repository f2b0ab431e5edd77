/** The network over TLS: the suite of all networks, and what certificates decide. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import tls from 'node:tls'
import { hasCode } from '@orbitkv/base'
import { type Issued, makeAuthority, missingOpenssl } from './certificates.ts'
import type { Connection } from './network.ts'
import { networkSuite } from './network-suite.ts'
import { createTlsNetwork, type TlsOptions } from './tls-network.ts'

const skip = missingOpenssl()
const folder = mkdtempSync(join(tmpdir(), 'orbit-tls-'))
after(() => rmSync(folder, { recursive: true, force: true }))

if (skip !== false) test('TLS', { skip }, () => {})
else {
  const ours = makeAuthority(folder, 'ours')
  const others = makeAuthority(folder, 'others')
  const [server, client, stranger] = [ours.issue('server'), ours.issue('client'), others.issue('stranger')]
  const optionsOf = (issued: Issued, more: Partial<TlsOptions> = {}): TlsOptions => ({
    certificate: issued.certificate,
    key: issued.key,
    authorities: ours.certificate,
    clients: 'none',
    ...more,
  })

  networkSuite('TLS', () => ({
    network: createTlsNetwork(optionsOf(server)),
    host: '127.0.0.1',
    sendsLater: true,
    pass: (promise) => promise,
  }))

  describe('certificates', () => {
    /** Whether a client that shows this is let in: it gets a greeting only then. */
    async function isLetIn(clients: TlsOptions['clients'], shown: Issued | undefined): Promise<boolean> {
      const failures: string[] = []
      const network = createTlsNetwork(optionsOf(server, { clients }), (_, reason) => failures.push(reason))
      const listener = await network.listen({ host: '127.0.0.1', port: 0 }, greet)
      try {
        const own = shown === undefined ? {} : { cert: shown.certificate, key: shown.key }
        const isIn = await greeting({ port: listener.address.port, ca: ours.certificate, ...own })
        assert.equal(failures.length, isIn ? 0 : 1)
        return isIn
      } finally {
        await listener.close()
      }
    }

    test('none asked for: everybody; required: only those that our authority signed; optional: none or a good one', async () => {
      assert.equal(await isLetIn('none', undefined), true)
      assert.equal(await isLetIn('required', client), true)
      assert.equal(await isLetIn('required', undefined), false)
      assert.equal(await isLetIn('required', stranger), false)
      assert.equal(await isLetIn('optional', undefined), true)
      assert.equal(await isLetIn('optional', client), true)
      assert.equal(await isLetIn('optional', stranger), false)
    })

    test('new certificates hold for new connections; open ones go on; unusable ones change nothing', async () => {
      const network = createTlsNetwork(optionsOf(stranger))
      const accepted: Connection[] = []
      const listener = await network.listen({ host: '127.0.0.1', port: 0 }, (connection) => {
        accepted.push(connection)
        greet(connection)
      })
      const { port } = listener.address
      const before = tls.connect({ port, host: '127.0.0.1', ca: others.certificate })
      await new Promise((resolve) => before.once('data', resolve))
      await assert.rejects(greeting({ port, ca: ours.certificate }), /unable to verify|self-signed/)
      network.use(optionsOf(server))
      assert.equal(await greeting({ port, ca: ours.certificate }), true)
      assert.throws(
        () => network.use(optionsOf({ ...server, key: client.key })),
        (error) => hasCode(error, 'network.tls_unusable'),
      )
      assert.equal(await greeting({ port, ca: ours.certificate }), true)
      const echoed = new Promise((resolve) => before.once('data', resolve))
      accepted[0]?.send(Buffer.from('still here'), 0, 10)
      assert.equal(String(await echoed), 'still here')
      before.destroy()
      await listener.close()
    })

    test('who does not speak TLS is turned away, and who says nothing is not handed out', async () => {
      const failures: string[] = []
      const network = createTlsNetwork(optionsOf(server), (_, reason) => failures.push(reason))
      let handedOut = 0
      const listener = await network.listen({ host: '127.0.0.1', port: 0 }, () => void handedOut++)
      const plain = net.connect(listener.address.port, '127.0.0.1', () => plain.write('PING\r\n'))
      plain.resume()
      await new Promise((resolve) => plain.once('close', resolve))
      assert.equal(failures.length, 1)
      const silent = net.connect(listener.address.port, '127.0.0.1')
      await new Promise((resolve) => silent.once('connect', resolve))
      const closed = new Promise((resolve) => silent.once('close', resolve))
      silent.resume()
      await listener.close()
      await closed
      assert.equal(handedOut, 0)
    })
  })
}

function greet(connection: Connection): void {
  connection.send(Buffer.from('hello'), 0, 5)
}

/** True if the server greets, false if it closes before; rejects where the client refuses the server. */
function greeting(options: tls.ConnectionOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', ...options })
    let isSecure = false
    socket.once('secureConnect', () => {
      isSecure = true
    })
    socket.once('data', () => {
      resolve(true)
      socket.destroy()
    })
    // In TLS 1.3 the client is done before the server has looked at its certificate: then comes an alert.
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const isOurs = isSecure || /ALERT|ECONNRESET|SSL/.test(error.code ?? '')
      if (isOurs) resolve(false)
      else reject(error)
    })
    socket.once('close', () => resolve(false))
  })
}
