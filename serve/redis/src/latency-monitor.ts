/**
 * What held the server up, by kind of event: the worst of each second in which something took at least `thresholdMs`, as LATENCY
 * tells it.
 *
 * What must hold: off unless a threshold is set; of each event at most the newest 160 seconds are kept.
 */

export const samplesMax = 160

export interface LatencySample {
  readonly timeSeconds: number
  /** Whole milliseconds. */
  readonly latencyMs: number
}

export interface LatencyEvent {
  /** Oldest first. */
  samples: LatencySample[]
  maxMs: number
}

export class LatencyMonitor {
  /** 0 while nothing is noted. */
  thresholdMs = 0
  readonly events = new Map<string, LatencyEvent>()

  note(name: string, microseconds: number, nowMs: number): void {
    if (this.thresholdMs === 0 || microseconds < this.thresholdMs * 1000) return
    this.add(name, Math.round(microseconds / 1000), Math.floor(nowMs / 1000))
  }

  add(name: string, latencyMs: number, timeSeconds: number): void {
    const event = this.events.get(name) ?? { samples: [], maxMs: 0 }
    this.events.set(name, event)
    event.maxMs = Math.max(event.maxMs, latencyMs)
    const last = event.samples.at(-1)
    if (last?.timeSeconds !== timeSeconds) event.samples.push({ timeSeconds, latencyMs })
    else if (last.latencyMs < latencyMs) event.samples[event.samples.length - 1] = { timeSeconds, latencyMs }
    if (event.samples.length > samplesMax) event.samples.shift()
  }

  /** Forgets an event, or all; returns how many there were. */
  reset(names: readonly string[]): number {
    const forgotten = names.length === 0 ? [...this.events.keys()] : names
    return forgotten.filter((name) => this.events.delete(name)).length
  }
}
