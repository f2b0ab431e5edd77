/** The suite that the package abstract-level ships, on OrbitLevel, and proof that its harness here can fail. */

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { SimulatedDisk } from '@orbitkv/runtime/simulated'
import { OrbitLevel, type OrbitLevelOptions } from './index.ts'
import { TapeTest, tape } from './tape-suite.ts'

interface SuiteOptions {
  readonly test: typeof tape
  readonly factory: (options?: OrbitLevelOptions) => OrbitLevel
}

const smallStore = { segmentBytes: 64 * 1024, zeroAheadBytes: 4096, reserveBytes: 0 }
const disk = new SimulatedDisk()
const suite = createRequire(import.meta.url)('abstract-level/test') as (options: SuiteOptions) => void

/** Its stores are small, and on a simulated disk: there are 1,400 of them. orbit-level.test.ts has the real one. */
class SmallLevel extends OrbitLevel {
  // Not by the options of the constructor: the suite looks at those.
  override _open(options: Parameters<OrbitLevel['_open']>[0]): Promise<void> {
    return super._open({ ...options, store: { ...smallStore, disk } })
  }
}

describe('the suite of abstract-level', () => {
  let made = 0
  suite({ test: tape, factory: (options) => new SmallLevel(`/levels/${made++}`, options) })
})

describe('the suite declares', () => {
  test('what OrbitLevel can', () => {
    const { supports } = new OrbitLevel('unused', { store: { backend: 'memory' } })
    assert.equal(supports.permanence, false, 'a store in memory is gone with the process')
    assert.equal(new OrbitLevel('unused').supports.permanence, true)
    for (const name of ['buffer', 'utf8', 'view']) assert.equal(supports.encodings[name], true, name)
    const declared = new Map(Object.entries(supports))
    const names = ['getSync', 'seek', 'has', 'deferredOpen', 'createIfMissing', 'errorIfExists', 'streams']
    for (const name of [...names, 'explicitSnapshots', 'implicitSnapshots'])
      assert.equal(declared.get(name), true, name)
  })
})

describe('the harness', () => {
  const fails = (body: (t: TapeTest) => unknown): Promise<void> => assert.rejects(new TapeTest().run(body))

  test('passes what ends as planned', async () => {
    await new TapeTest().run((t) => {
      t.plan(2)
      t.is(1, 1)
      setImmediate(() => t.same([1], [1]))
    })
    await new TapeTest().run(async (t) => t.pass())
    await new TapeTest().run((t) => t.end())
  })

  test('fails a wrong assertion, a throw, one assertion too many, and one after the end', async () => {
    await fails(async (t) => t.is(1, 2))
    await fails(async (t) => t.same([1], [2]))
    await fails(async (t) => t.isNot(1, 1))
    await fails(async (t) => t.ok(0))
    await fails(async (t) => t.fail('so'))
    await fails(async (t) => t.throws(() => 1, Error))
    await fails(async (t) =>
      t.doesNotThrow(() => {
        throw new Error('thrown')
      }),
    )
    await fails(async () => {
      throw new Error('thrown')
    })
    await fails(async (t) => {
      t.plan(1)
      t.pass()
      t.pass()
    })
    await fails(async (t) => {
      t.end()
      t.pass()
    })
  })
})
