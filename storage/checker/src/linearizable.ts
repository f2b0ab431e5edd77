/**
 * Linearizability of one object: is there an order of its operations, each at some moment between its call and its return, in
 * which the object answers as it did? A search (J. Wing and C. Gong, 1993) that remembers which states it has been in with which
 * operations done (G. Lowe, 2017). Unlike the checks of transactions it needs no values of their own, and takes time that may
 * grow without bound with the number of operations that overlap: it is for small histories, one object at a time.
 */

export interface ObjectOperation<Call> {
  readonly call: Call
  readonly startedAt: number
  /** Infinity where nobody was answered: it may take effect at any later moment. */
  readonly endedAt: number
}

export interface ObjectModel<Call, State extends string | number | undefined> {
  readonly initial: State
  /** The state after a call with the answer that it got, or undefined where it cannot have got that one. */
  step(state: State, call: Call): { readonly state: State } | undefined
}

interface Event {
  readonly operation: number
  readonly isReturn: boolean
}

export function isLinearizable<Call, State extends string | number | undefined>(
  operations: readonly ObjectOperation<Call>[],
  model: ObjectModel<Call, State>,
): boolean {
  const events = eventsOf(operations)
  // A list of the events that are left, each knowing its neighbours; the last number stands for both ends.
  const end = events.length
  const next = Int32Array.from({ length: end + 1 }, (_, i) => (i === end ? 0 : i + 1))
  const previous = Int32Array.from({ length: end + 1 }, (_, i) => (i === 0 ? end : i - 1))
  const returnOf = new Int32Array(operations.length)
  for (const [at, { operation, isReturn }] of events.entries()) if (isReturn) returnOf[operation] = at
  const remove = (at: number): void => {
    next[previous[at] as number] = next[at] as number
    previous[next[at] as number] = previous[at] as number
  }
  const putBack = (at: number): void => {
    next[previous[at] as number] = at
    previous[next[at] as number] = at
  }
  const done = new Uint16Array(Math.ceil(operations.length / 16) + 1)
  const flip = (operation: number): void => {
    done[operation >>> 4] = (done[operation >>> 4] as number) ^ (1 << (operation & 15))
  }
  const seen = new Set<string>()
  const path: { readonly at: number; readonly state: State }[] = []
  let { initial: state } = model
  let at = next[end] as number
  while (next[end] !== end) {
    const event = at === end ? undefined : events[at]
    if (event !== undefined && !event.isReturn) {
      const { operation } = event
      const after = model.step(state, (operations[operation] as ObjectOperation<Call>).call)
      if (after !== undefined) {
        flip(operation)
        const situation = `${String.fromCharCode(...done)}${after.state}`
        if (!seen.has(situation)) {
          seen.add(situation)
          path.push({ at, state })
          state = after.state
          remove(at)
          remove(returnOf[operation] as number)
          at = next[end] as number
          continue
        }
        flip(operation)
      }
      at = next[at] as number
      continue
    }
    // Something returned that has not taken effect: what took effect last did so too early.
    const last = path.pop()
    if (last === undefined) return false
    const { operation } = events[last.at] as Event
    putBack(returnOf[operation] as number)
    putBack(last.at)
    flip(operation)
    state = last.state
    at = next[last.at] as number
  }
  return true
}

function eventsOf(operations: readonly ObjectOperation<unknown>[]): Event[] {
  const events = operations.flatMap(({ startedAt, endedAt }, operation) => [
    { operation, isReturn: false, at: startedAt },
    { operation, isReturn: true, at: endedAt },
  ])
  // Of one moment calls come first. What never returned returns last of all.
  return events.sort((a, b) => (a.at === b.at ? Number(a.isReturn) - Number(b.isReturn) : a.at - b.at))
}
