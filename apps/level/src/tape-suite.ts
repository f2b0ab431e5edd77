/**
 * What the suite of abstract-level asks of its harness, which is a part of tape's interface, on node:test: each of its tests
 * is a test here. For tests only; not part of the build.
 *
 * What must hold: a test passes only if it ended, with exactly as many assertions as it planned, and none failed.
 */

import assert from 'node:assert/strict'
import { test as nodeTest } from 'node:test'

type Body = (t: TapeTest) => unknown
type Declare = (name: string, options: { readonly timeout: number }, body: () => Promise<void>) => unknown

/** A test that neither ends nor throws within this time hangs. */
const testMsMax = 30_000

export class TapeTest {
  #planned: number | undefined
  #counted = 0
  #failures: unknown[] = []
  #hasEnded = false
  #end: () => void = () => {}

  plan(count: number): void {
    this.#planned = count
    if (count === 0) this.end()
  }

  end(): void {
    this.#hasEnded = true
    this.#end()
  }

  is(actual: unknown, expected: unknown, message?: string): void {
    this.#check(() => assert.strictEqual(actual, expected, message))
  }

  isNot(actual: unknown, expected: unknown, message?: string): void {
    this.#check(() => assert.notStrictEqual(actual, expected, message))
  }

  same(actual: unknown, expected: unknown, message?: string): void {
    this.#check(() => assert.deepStrictEqual(actual, expected, message))
  }

  ok(value: unknown, message?: string): void {
    this.#check(() => assert.ok(value, message))
  }

  throws(run: () => unknown, expected: assert.AssertPredicate): void {
    this.#check(() => assert.throws(run, expected))
  }

  doesNotThrow(run: () => unknown, message?: string): void {
    this.#check(() => assert.doesNotThrow(run, message))
  }

  pass(message?: string): void {
    this.ok(true, message)
  }

  fail(message?: unknown): void {
    this.#check(() => assert.fail(String(message)))
  }

  #check(assertion: () => void): void {
    this.#counted++
    try {
      assert.ok(!this.#hasEnded, 'no assertion comes after the end')
      assertion()
    } catch (error) {
      this.#failures.push(error)
    }
    if (this.#counted === this.#planned) this.end()
  }

  async run(body: Body): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve
    })
    const result = body(this)
    // As in tape: a body that returns a promise ends with it at the latest, unless it planned more.
    const isAsync = result instanceof Promise
    if (isAsync) await result
    if (!isAsync || this.#planned !== undefined) await ended
    if (this.#failures.length > 0) throw this.#failures[0]
    if (this.#planned !== undefined) assert.equal(this.#counted, this.#planned, 'assertions are as many as planned')
  }
}

/** tape's `test`, declaring tests as node:test does. */
export const tapeOn =
  (declare: Declare) =>
  (name: string, body: Body): void => {
    declare(name, { timeout: testMsMax }, () => new TapeTest().run(body))
  }

export const tape = tapeOn(nodeTest)
