/** Which arguments of a command are keys, for who decides where it runs. */

import { type Command, CommandError, type KeySpec } from '../commands/command.ts'
import type { Arguments } from '../protocol/arguments.ts'
import { parseInteger } from '../protocol/numbers.ts'

/** Places of the keys; undefined where the arguments are wrong, which the command itself will say. */
export function placesOfKeys(command: Command, keys: readonly KeySpec[], found: Arguments): number[] | undefined {
  const places: number[] = []
  for (const spec of keys) {
    const more = placesOf(spec, found)
    if (more === undefined) return undefined
    places.push(...more)
  }
  if (command.name === 'sort' || command.name === 'sort_ro') assertNoPatterns(found)
  return places
}

function placesOf(spec: KeySpec, found: Arguments): number[] | undefined {
  const { count } = found
  if ('unknown' in spec) {
    const known = spec.find?.(found, 0) ?? 'any'
    return known === 'any' ? [] : [...known]
  }
  if ('first' in spec) {
    const last = spec.last < 0 ? count + spec.last : spec.last
    return sequence(spec.first, last, spec.step)
  }
  if ('behind' in spec) {
    for (let place = spec.from; place < count; place++) {
      if (!found.is(place, spec.behind)) continue
      const first = place + 1
      return sequence(first, first + Math.floor((count - first) / spec.parts) - 1, 1)
    }
    return undefined
  }
  const { countedAt } = spec
  if (countedAt >= count) return undefined
  const keyCount = parseInteger(found.bytes, found.start(countedAt), found.end(countedAt))
  if (typeof keyCount !== 'number' || keyCount < 0 || countedAt + keyCount >= count) return undefined
  return sequence(countedAt + 1, countedAt + keyCount, 1)
}

function sequence(first: number, last: number, step: number): number[] {
  return Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, i) => first + i * step)
}

/** SORT may read keys that its patterns make of elements, which no one can know before: refused, as in Redis Cluster. */
function assertNoPatterns(found: Arguments): void {
  for (let place = 2; place + 1 < found.count; place++) {
    if (found.is(place, 'LIMIT')) place += 2
    else if (found.is(place, 'BY')) {
      if (found.text(++place).includes('*')) throw new CommandError('ERR BY option of SORT denied in cluster mode')
    } else if (found.is(place, 'GET')) throw new CommandError('ERR GET option of SORT denied in cluster mode')
    else if (found.is(place, 'STORE')) place++
  }
}
