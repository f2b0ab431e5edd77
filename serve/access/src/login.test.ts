/** Logging in, rates and the log of denials, on a clock that the test moves. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from './address.ts'
import { accessConfig } from './config.ts'
import { DenialLog } from './denials.ts'
import { LoginGuard } from './login-guard.ts'
import { Rates } from './rates.ts'
import { Recent } from './recent.ts'

const limits = accessConfig.parse({ loginFailuresMax: 3, loginDelayMs: 1000, loginLockoutMs: 8000 })

test('an address waits longer after each failure, up to the lock-out, and is free after a success', () => {
  const guard = new LoginGuard(limits)
  const waits: number[] = []
  let nowMs = 0
  for (let i = 0; i < 8; i++) {
    guard.failed('a', `user ${i}`, nowMs)
    const waitMs = guard.waitMs('a', 'u', nowMs)
    waits.push(waitMs)
    nowMs += waitMs
  }
  assert.deepEqual(waits, [0, 0, 1000, 2000, 4000, 8000, 8000, 8000])
  assert.equal(guard.waitMs('b', 'u', nowMs), 0, 'another address')
  guard.succeeded('a', 'u')
  assert.equal(guard.failed('a', 'u', nowMs), false)
  assert.equal(guard.waitMs('a', 'u', nowMs), 0)
})

test('after a time without failures all is forgotten', () => {
  const guard = new LoginGuard(limits)
  for (let i = 0; i < 3; i++) guard.failed('a', 'u', 0)
  assert.equal(guard.waitMs('a', 'u', 0), 1000)
  assert.equal(guard.waitMs('a', 'u', 8001), 0)
  assert.equal(guard.failed('a', 'u', 8001), false)
})

test('a user is locked for strangers only', () => {
  const guard = new LoginGuard(limits)
  guard.succeeded('home', 'u')
  for (let i = 0; i < 30; i++) guard.failed(`bot ${i}`, 'u', 0)
  assert.ok(guard.waitMs('fresh bot', 'u', 0) > 0)
  assert.equal(guard.waitMs('home', 'u', 0), 0)
  assert.equal(guard.waitMs('fresh bot', 'other', 0), 0)
})

test('with no limit nobody waits', () => {
  const guard = new LoginGuard(accessConfig.parse({ loginFailuresMax: 0 }))
  for (let i = 0; i < 100; i++) assert.equal(guard.failed('a', 'u', 0), false)
  assert.equal(guard.waitMs('a', 'u', 0), 0)
})

test('commands a second, of a user and of an address', () => {
  const rates = new Rates(accessConfig.parse({ userCommandsPerSecondMax: 10, addressCommandsPerSecondMax: 15 }))
  assert.equal(rates.isOn, true)
  for (let i = 0; i < 10; i++) assert.equal(rates.admit('u', 'a', 0), undefined)
  assert.deepEqual(rates.admit('u', 'a', 0), { metered: 'user', what: 'commands', perSecondMax: 10, waitMs: 100 })
  for (let i = 0; i < 5; i++) assert.equal(rates.admit('v', 'a', 0), undefined)
  assert.equal(rates.admit('v', 'a', 0)?.metered, 'address')
  assert.equal(rates.admit('v', 'b', 0), undefined)
  assert.equal(rates.admit('u', 'b', 99)?.waitMs, 1)
  assert.equal(rates.admit('u', 'b', 100), undefined)
  assert.equal(rates.admit('u', 'b', 100)?.waitMs, 100)
  for (let i = 0; i < 10; i++) assert.equal(rates.admit('u', 'c', 60_000), undefined, 'no more than a second is saved')
  assert.equal(rates.admit('u', 'c', 60_000)?.waitMs, 100)
})

test('bytes a second may be owed, and are paid back by waiting', () => {
  const rates = new Rates(accessConfig.parse({ userBytesPerSecondMax: 1000 }))
  rates.count('u', 'a', 3000, 0)
  assert.deepEqual(rates.admit('u', 'a', 0), { metered: 'user', what: 'bytes', perSecondMax: 1000, waitMs: 2001 })
  assert.equal(rates.admit('u', 'a', 2001), undefined)
  assert.equal(new Rates(accessConfig.defaults).isOn, false)
})

test('denials of one kind are counted, newest first, and bounded', () => {
  const log = new DenialLog(2)
  const denial = { reason: 'command', context: 'toplevel', object: 'get', user: 'u', client: 'c1' } as const
  log.add(denial, 0)
  log.add({ ...denial, client: 'c2' }, 10)
  log.add({ ...denial, object: 'set' }, 20)
  log.add(denial, 30)
  assert.deepEqual(
    log.entries(9).map(({ object, count, client }) => [object, count, client]),
    [
      ['get', 3, 'c1'],
      ['set', 1, 'c1'],
    ],
  )
  log.add({ ...denial, object: 'del' }, 40)
  assert.deepEqual(
    log.entries(9).map(({ object }) => object),
    ['del', 'get'],
  )
  log.add(denial, 100_000)
  assert.equal(log.entries(1)[0]?.count, 1, 'too long ago to be the same')
  log.clear()
  assert.deepEqual(log.entries(9), [])
})

test('what is remembered of clients is bounded: who came last stays', () => {
  const recent = new Recent<number>(2)
  recent.set('a', 1)
  recent.set('b', 2)
  assert.equal(recent.get('a'), 1)
  recent.set('c', 3)
  assert.equal(recent.get('b'), undefined)
  assert.equal(recent.get('a'), 1)
  assert.equal(recent.size, 2)
})

test('whoever has an account of its own cannot reset by it what guesses at other users cost', () => {
  const guard = new LoginGuard(limits)
  for (let i = 0; i < 3; i++) {
    guard.succeeded('a', 'eve')
    guard.failed('a', 'admin', 0)
  }
  guard.succeeded('a', 'eve')
  assert.equal(guard.waitMs('a', 'admin', 0), 1000)
  assert.equal(guard.waitMs('a', 'eve', 0), 0)
})

test('at an address where its password was right, a user is counted apart, and not for ever', () => {
  const guard = new LoginGuard(limits)
  guard.succeeded('nat', 'admin')
  for (let i = 0; i < 3; i++) guard.failed('nat', 'admin', 0)
  assert.equal(guard.waitMs('nat', 'admin', 0), 1000)
  assert.equal(guard.waitMs('nat', 'other', 0), 0)
})

test('the addresses that one network of version 6 has are one to the guard and to rates', () => {
  const guard = new LoginGuard(limits)
  for (let i = 0; i < 3; i++) guard.failed(`2001:db8:0:1::${i}`, 'u', 0)
  assert.equal(guard.waitMs('2001:DB8:0:1:ffff::9', 'u', 0), 1000)
  assert.equal(guard.waitMs('2001:db8:0:2::1', 'u', 0), 0)
  const rates = new Rates(accessConfig.parse({ addressCommandsPerSecondMax: 1 }))
  assert.equal(rates.admit('u', '::ffff:10.0.0.1', 0), undefined)
  assert.equal(rates.admit('u', '10.0.0.1', 0)?.metered, 'address')
})

test('an address as limits see it', () => {
  for (const [host, network] of [
    ['10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:0db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::5:6:7:8:9', '2001:db8:0:5::/64'],
  ] as const) {
    assert.equal(networkOf(host), network)
  }
})

test('who has not logged in uses up the share of its address and of no user', () => {
  const rates = new Rates(accessConfig.parse({ userCommandsPerSecondMax: 1, userBytesPerSecondMax: 10 }))
  rates.count(undefined, 'a', 1000, 0)
  for (let i = 0; i < 5; i++) assert.equal(rates.admit(undefined, 'a', 0), undefined)
  assert.equal(rates.admit('default', 'a', 0), undefined)
})
