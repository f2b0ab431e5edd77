/** Random commands on places: to be answered alike by a real Redis and by ours. Used by type-commands.ts. */

import type { Random } from '@orbitkv/base'

type Command = (string | number)[]

const members = ['a', 'b', 'c', 'd', 'e', '', 'x'.repeat(70)]
const units = ['m', 'KM', 'ft', 'mi', 'yard']
/** Beside places anywhere: ends of the map, and what is no place. */
const corners = ['-180', '179.9999', '0', '-0', '85.0511', '-85.05112878', '85.06', '200', 'x', '1e400']

export class GeoCommands {
  readonly #random: Random
  readonly #keys: readonly string[]

  constructor(random: Random, keys: readonly string[]) {
    this.#random = random
    this.#keys = keys
  }

  /** Mostly near each other, so that searches find some and not all; seldom twice the same. */
  #degrees(max: number): string {
    if (this.#random.chance(20)) return this.#random.pick(corners)
    const reach = this.#random.chance(3) ? max : 2
    return String(this.#random.between(-reach * 1e6, reach * 1e6) / 1e6)
  }

  #place(): Command {
    return [this.#degrees(180), this.#degrees(85)]
  }

  #distance(): string {
    const digits = this.#random.between(1, 8)
    return this.#random.chance(20) ? this.#random.pick(['0', '-1', 'x', '1e9']) : `${this.#random.below(10 ** digits)}`
  }

  #unit(): string {
    return this.#random.chance(15) ? this.#random.pick(units) : this.#random.pick(units.slice(0, 4))
  }

  #with(...words: string[]): Command {
    return words.filter(() => this.#random.chance(4))
  }

  /** Without an order and with a count, Redis takes the nearest; ANY takes whichever come first. */
  #options(): Command {
    return [
      ...this.#with('WITHDIST', 'WITHCOORD', 'WITHHASH'),
      ...this.#random.pick<Command>([
        [],
        [],
        ['ASC'],
        ['DESC'],
        ['COUNT', 2],
        ['COUNT', 100, 'ANY'],
        ['COUNT', 0],
        ['ANY'],
      ]),
    ]
  }

  command(): Command {
    const random = this.#random
    const key = random.pick(this.#keys)
    const from = (): Command =>
      random.pick<Command>([
        ['FROMMEMBER', random.pick(members)],
        ['FROMLONLAT', ...this.#place()],
        ['FROMLONLAT', '0', '0'],
      ])
    const by = (): Command =>
      random.pick<Command>([
        ['BYRADIUS', this.#distance(), this.#unit()],
        ['BYBOX', this.#distance(), this.#distance(), this.#unit()],
      ])
    const store = (): Command =>
      random.chance(3) ? [random.pick(['STORE', 'STOREDIST']), random.pick(this.#keys)] : this.#options()
    return random.pick<() => Command>([
      () => ['GEOADD', key, ...this.#with('NX', 'XX', 'CH'), ...this.#place(), random.pick(members)],
      () => ['GEOADD', key, ...this.#place(), random.pick(members), ...this.#place(), random.pick(members)],
      () => ['GEOPOS', key, random.pick(members), random.pick(members)],
      () => ['GEOHASH', key, random.pick(members), random.pick(members)],
      () => ['GEODIST', key, random.pick(members), random.pick(members), ...random.pick([[], [this.#unit()]])],
      () => ['GEOSEARCH', key, ...from(), ...by(), ...this.#options()],
      () => ['GEOSEARCH', key, ...this.#options(), ...by(), ...from()],
      () => ['GEOSEARCH', key, ...from(), ...from(), ...by(), ...random.pick([[], by()])],
      () => [
        'GEOSEARCHSTORE',
        key,
        random.pick(this.#keys),
        ...from(),
        ...by(),
        ...this.#with('STOREDIST', 'WITHDIST'),
      ],
      () => ['GEORADIUS', key, ...this.#place(), this.#distance(), this.#unit(), ...store()],
      () => ['GEORADIUSBYMEMBER', key, random.pick(members), this.#distance(), this.#unit(), ...store()],
      () => ['GEORADIUS_RO', key, ...this.#place(), this.#distance(), this.#unit(), ...this.#options()],
      () => ['GEORADIUSBYMEMBER_RO', key, random.pick(members), this.#distance(), this.#unit(), ...store()],
      // Not the scores themselves: of distances the last of 17 digits may differ.
      () => ['ZCARD', key],
      () => ['ZREM', key, random.pick(members)],
    ])()
  }
}
