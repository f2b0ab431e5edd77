/**
 * Transactions: runs a function over one state of the store and commits what it wrote, so that all transactions are as if they had
 * run one after the other.
 *
 * A function that returns no promise runs alone: nothing else can come between its reads and its commit, so it reads the latest
 * state, published or not, and never conflicts; its promise waits until all it saw is published. An asynchronous one reads
 * the state that was published when it began. When it ends, its reads are made again (transaction.ts): if they give what they
 * gave, it commits in that same moment; if not, it runs again. Whoever wrote nothing is done as it is.
 * docs/decisions/transactions.md has the reasons.
 */

import { assert } from '@orbitkv/base'
import { type Change, latest } from '@orbitkv/engine'
import type { Clock, RandomUint32 } from '@orbitkv/runtime'
import { storeErrors } from '../errors.ts'
import { checkFunction, checkOptions } from '../options.ts'
import type { Durability, WriteOptions } from '../types.ts'
import { Retries } from './retries.ts'
import { Touched } from './touched.ts'
import { StoreTransaction, type TransactionSource } from './transaction.ts'
import { type Transaction, type TransactOptions, transactionLimits } from './types.ts'

const attemptsByDefault = 10
/** Emptied ones kept for the transactions to come. */
const spareMax = 64

/** What transactions need of their store. */
export interface TransactionsOptions extends TransactionSource {
  readonly clock: Clock
  readonly randomUint32: RandomUint32
  now(): number
  durabilityOf(options: WriteOptions): Durability
  /** Appends a batch; throws with nothing changed. */
  append(changes: readonly Change[]): void
  /** Calls `done` once everything appended so far is published at a level. */
  settle(durability: Durability, done: (error?: Error) => void): void
  /** Leaves a part of what was read unchecked: for tests that must notice it. */
  readonly unsound: 'keys' | 'ranges' | undefined
}

type Run<Result> = (tx: Transaction) => Result | PromiseLike<Result>

/** One call of `transact`. */
interface Call<Result> {
  readonly run: Run<Result>
  readonly durability: Durability
  readonly attempts: number
  readonly readOnly: boolean
  readonly signal: AbortSignal | undefined
}

const AsyncFunction = (async () => {}).constructor

export class Transactions {
  readonly #options: TransactionsOptions
  readonly #retries: Retries
  readonly #spare: Touched[] = []
  #open = 0
  #conflicts = 0
  /** The function of a transaction that runs alone is on the stack. */
  #runsAlone = false

  constructor(options: TransactionsOptions) {
    this.#options = options
    this.#retries = new Retries(options.clock, options.randomUint32)
  }

  get open(): number {
    return this.#open
  }

  /** Attempts that ended in vain. */
  get conflicts(): number {
    return this.#conflicts
  }

  /** Refuses writes past a transaction that runs alone: by its function, then, which meant it otherwise. */
  assertOutside(): void {
    if (this.#runsAlone) throw storeErrors.inside_transaction()
  }

  transact<Result>(run: Run<Result>, options: TransactOptions = {}): Promise<Result> {
    let call: Call<Result>
    let tx: StoreTransaction
    try {
      call = this.#check(run, options)
      tx = this.#begin(call, run.constructor !== AsyncFunction)
    } catch (error) {
      return Promise.reject(error)
    }
    let result: Result | PromiseLike<Result>
    this.#runsAlone = run.constructor !== AsyncFunction
    try {
      result = run(tx)
    } catch (error) {
      return this.#giveUp(tx, call, error)
    } finally {
      this.#runsAlone = false
    }
    if (isThenable(result)) {
      this.#turnAsync(tx)
      return this.#goOn(call, tx, result)
    }
    return this.#finish(call, tx, result)
  }

  #check<Result>(run: Run<Result>, options: TransactOptions): Call<Result> {
    this.#options.assertOpen()
    this.assertOutside()
    checkOptions(options)
    const durability = this.#options.durabilityOf(options)
    const { attempts = attemptsByDefault, readOnly = false, signal } = options
    const { attemptsMax, openMax } = transactionLimits
    checkFunction(run, 'what to transact')
    if (!Number.isInteger(attempts) || attempts < 1 || attempts > attemptsMax) {
      const expected = `a whole number from 1 to ${attemptsMax}`
      throw storeErrors.bad_argument({ name: 'attempts', expected, found: String(attempts) })
    }
    signal?.throwIfAborted()
    if (this.#open >= openMax) throw storeErrors.transactions_open({ open: this.#open, max: openMax })
    return { run, durability, attempts, readOnly, signal }
  }

  /** Begins an attempt, as one that runs alone if it may turn out so: then nobody can write before it commits. */
  #begin({ readOnly }: Call<unknown>, mayRunAlone: boolean): StoreTransaction {
    const { engine } = this.#options
    const base = engine.publishedRevision
    const isSettled = engine.publishedPosition === engine.appendedPosition
    const at = mayRunAlone && !readOnly && !isSettled ? latest : base
    this.#open++
    const touched = this.#spare.pop() ?? new Touched()
    const now = this.#options.now()
    return new StoreTransaction({ source: this.#options, touched, base, at, now, readOnly })
  }

  #end(tx: StoreTransaction): void {
    tx.end()
    this.#open--
    assert(this.#open >= 0, 'a transaction ends once')
    if (tx.touched.reset() && this.#spare.length < spareMax) this.#spare.push(tx.touched)
  }

  /**
   * The function of a transaction that began as if it ran alone has returned a promise: from here on others may write. It goes on
   * if all it saw is published, which is what its further reads see; otherwise it must run again.
   */
  #turnAsync(tx: StoreTransaction): void {
    if (tx.at !== latest) return
    const lane = tx.changed(this.#options.now())
    if (lane >= 0 || tx.hasOpenRange) tx.lose(Math.max(lane, 0))
    else tx.at = tx.base
  }

  /** Commits, if anything was written, and resolves once all that the transaction saw and did is published. */
  #finish<Result>({ durability }: Call<Result>, tx: StoreTransaction, result: Result): Promise<Result> {
    const { isWriting } = tx
    const sawUnpublished = tx.at === latest
    try {
      this.#options.assertOpen()
      if (isWriting) this.#options.append(tx.touched.changes())
    } catch (error) {
      this.#end(tx)
      return Promise.reject(error)
    }
    this.#end(tx)
    if (!isWriting && !sawUnpublished) return Promise.resolve(result)
    return this.#settled(durability, result)
  }

  /** The function has thrown: nothing is written, and what it threw is passed on, once what it saw is published. */
  async #giveUp(tx: StoreTransaction, { durability }: Call<unknown>, error: unknown): Promise<never> {
    this.#end(tx)
    if (tx.at === latest) await this.#settled(durability, undefined)
    throw error
  }

  #settled<Result>(durability: Durability, result: Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#options.settle(durability, (error) => (error === undefined ? resolve(result) : reject(error)))
    })
  }

  /** Sees a transaction through whose function is asynchronous, in as many attempts as it takes. */
  async #goOn<Result>(call: Call<Result>, first: StoreTransaction, running: PromiseLike<Result>): Promise<Result> {
    let outcome = await this.#outcomeOf(call, first, running)
    let lane = -1
    let leave: (() => void) | undefined
    try {
      for (let attempt = 2; 'lostIn' in outcome; attempt++) {
        this.#conflicts++
        if (attempt > call.attempts) throw storeErrors.transaction_conflict({ attempts: call.attempts })
        // What it lost against is appended, but perhaps not yet what the next attempt would see.
        await this.#settled('none', undefined)
        if (outcome.lostIn !== lane) {
          leave?.()
          lane = outcome.lostIn
          leave = await this.#retries.enter(lane)
        }
        await this.#retries.backOff(attempt)
        this.#options.assertOpen()
        call.signal?.throwIfAborted()
        const tx = this.#begin(call, false)
        outcome = await this.#outcomeOf(call, tx, new Promise((resolve) => resolve(call.run(tx))))
      }
      return outcome.result
    } finally {
      leave?.()
    }
  }

  /** How an attempt ends: with what its function gave, published; or lost, in a lane (retries.ts). */
  async #outcomeOf<Result>(
    call: Call<Result>,
    tx: StoreTransaction,
    running: PromiseLike<Result>,
  ): Promise<{ readonly result: Result } | { readonly lostIn: number }> {
    let result: Result
    try {
      result = await running
      this.#options.assertOpen()
    } catch (error) {
      this.#end(tx)
      if (tx.lostIn < 0) throw error
      return { lostIn: tx.lostIn }
    }
    // Nothing may come between this and the commit.
    if (tx.lostIn < 0 && tx.isWriting) tx.lose(tx.changed(this.#options.now(), this.#options.unsound))
    if (tx.lostIn < 0) return { result: await this.#finish(call, tx, result) }
    this.#end(tx)
    return { lostIn: tx.lostIn }
  }
}

function isThenable<Result>(result: Result | PromiseLike<Result>): result is PromiseLike<Result> {
  return typeof (result as { then?: unknown } | undefined | null)?.then === 'function'
}
