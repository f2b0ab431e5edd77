/** The TCP network passes the suite on both of its paths. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '@orbitkv/base'
import { networkSuite } from './network-suite.ts'
import { createRealNetwork, tunedPathWorks } from './real-network.ts'

const deadlineMs = 20_000

for (const path of ['tuned', 'public', 'automatic'] as const) {
  networkSuite(`TCP, ${path} path`, () => ({
    network: createRealNetwork({ path }),
    host: '127.0.0.1',
    pass: withDeadline,
  }))
}

test('the tuned path works on the Node that runs this', async () => {
  assert.equal(await tunedPathWorks(), true)
})

test('an address that is not ours is refused with its reason', async () => {
  const refused = await createRealNetwork()
    .listen({ host: '192.0.2.1', port: 0 }, () => {})
    .catch((error: unknown) => error)
  assert.ok(hasCode(refused, 'network.address_refused'), String(refused))
})

/** A hang fails with a word instead of stopping the run; no result depends on the time. */
function withDeadline<Result>(promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`still waiting after ${deadlineMs} ms`)), deadlineMs)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
