/**
 * How long commands take: durations of each command, the slow log, and the latency monitor.
 *
 * Two readings of the clock would cost a tenth of a GET, so that of a command whose work is bounded and small only one call in
 * 64 is timed, once it has been called a few times, and stands for those since the last. All others are timed each time, and so
 * is every command while the slow log or the monitor ask for what is quicker than a millisecond.
 *
 * What must hold: everything here is bounded; what the slow log shows of a command is copied when it is added.
 */

import { Durations, LoopLag } from '@orbitkv/metrics'
import type { Clock } from '@orbitkv/runtime'
import type { Call, Command } from './commands/command.ts'
import type { TurnFacts } from './gate.ts'
import { LatencyMonitor } from './latency-monitor.ts'
import { SlowLog } from './slow-log.ts'

/** Calls of a command that are all timed before it is sampled. */
const timedAtFirst = 64
/** One in so many. */
const sampledOneIn = 64
/** Whoever asks for what is quicker gets every call timed. */
const sampledSlowerThanMicroseconds = 1000

export class Timings {
  /** Microseconds from which on a command is put into the slow log; negative: none is. */
  slowerThanMicroseconds = 10_000
  readonly slowLog = new SlowLog()
  readonly monitor = new LatencyMonitor()
  /** From the begin of a turn until the replies of its commands that write went out, which is when they were durable. */
  readonly writes = new Durations()
  readonly lag: LoopLag
  readonly #clock: Clock
  #timedTurnMs = 0
  #timedWrites = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.lag = new LoopLag(clock)
    this.lag.onMeasured = (microseconds) => this.monitor.note('event-loop', microseconds, clock.now())
  }

  stop(): void {
    this.lag.stop()
  }

  /** Milliseconds from an arbitrary start. */
  now(): number {
    return this.#clock.monotonic()
  }

  /** A turn begins; returns what `now` says, or 0 where it is not timed: one in a millisecond is, and stands for the others. */
  startOfTurn(atMs: number): number {
    if (atMs === this.#timedTurnMs) return 0
    this.#timedTurnMs = atMs
    return this.#clock.monotonic()
  }

  /** `writes` counts all commands that write. What the gate is to give back when the replies go out; undefined for none. */
  endOfTurn(startedMs: number, writes: number): TurnFacts | undefined {
    if (startedMs === 0 || writes === this.#timedWrites) return undefined
    const standsFor = Math.max(0, writes - this.#timedWrites)
    this.#timedWrites = writes
    return standsFor === 0 ? undefined : { startedMs, writes: standsFor }
  }

  released({ startedMs, writes }: TurnFacts): void {
    this.writes.add(Math.max(0, (this.#clock.monotonic() - startedMs) * 1000), writes)
  }

  /** A command that was to be timed has ended; `startedMs` is what `now` said before. */
  ended(command: Command, call: Call, startedMs: number): void {
    const microseconds = Math.max(0, (this.#clock.monotonic() - startedMs) * 1000)
    command.durations ??= new Durations()
    command.durations.add(microseconds, command.calls - command.timedCalls)
    command.timedCalls = command.calls
    command.nextTimedCall = command.calls + this.#stride(command)
    const { slowerThanMicroseconds, monitor } = this
    const isSlow = slowerThanMicroseconds >= 0 && microseconds >= slowerThanMicroseconds
    if (isSlow && !command.flags.includes('skip_slowlog'))
      this.slowLog.add(command, call, microseconds, this.#clock.now())
    if (monitor.thresholdMs > 0) {
      monitor.note(command.flags.includes('fast') ? 'fast-command' : 'command', microseconds, this.#clock.now())
    }
  }

  #stride({ calls, complexity }: Command): number {
    const { slowerThanMicroseconds, monitor } = this
    if (calls < timedAtFirst || complexity !== 'O(1)' || monitor.thresholdMs > 0) return 1
    return slowerThanMicroseconds >= 0 && slowerThanMicroseconds < sampledSlowerThanMicroseconds ? 1 : sampledOneIn
  }
}
