/**
 * Places on the earth as scores of a sorted set, as Redis has them: 26 bits of the latitude and 26 of the longitude, mixed bit by
 * bit with the longitude's first, so that what lies near each other mostly has scores near each other.
 *
 * What must hold: a score is a whole number below 2^52, and `cellsAround` leaves no place of a box out.
 */

import { assert } from '@orbitkv/base'

export interface Place {
  readonly longitude: number
  readonly latitude: number
}

/** Half of the box, in degrees, that a search is about. */
interface Reach {
  readonly longitude: number
  readonly latitude: number
}

/** Scores from `first` to before `end`. */
export interface Cell {
  readonly first: number
  readonly end: number
}

const earthRadiusMetres = 6_372_797.560856
/** Beyond these the projection of the web has no map. */
export const latitudeMax = 85.05112878
export const longitudeMax = 180
/** The bits of each coordinate. */
const stepsMax = 26
/** A search reads at most so many ranges of scores. */
const cellsMax = 9
/** What rounding may take from the sides of a box, in degrees: about a centimetre. */
const roundingDegrees = 1e-7
const alphabet = '0123456789bcdefghjkmnpqrstuvwxyz'
const textChars = 11
const radians = Math.PI / 180

/** The number of the slice of `[-max, max]`, of `2^steps`, in which a coordinate lies. */
function sliceOf(value: number, max: number, steps: number): number {
  return Math.floor(((value + max) / (2 * max)) * 2 ** steps)
}

/** The bits of both, the first one's after the other's: at most 2 times 26. */
function mixed(low: number, high: number, steps: number): number {
  let bits = 0
  for (let step = steps - 1; step >= 0; step--) {
    bits = bits * 4 + ((high >>> step) & 1) * 2 + ((low >>> step) & 1)
  }
  return bits
}

export function scoreOfPlace({ longitude, latitude }: Place): number {
  assert(Math.abs(longitude) <= longitudeMax && Math.abs(latitude) <= latitudeMax, 'a place is on the map')
  return mixed(lastSlice(latitude, latitudeMax), lastSlice(longitude, longitudeMax), stepsMax)
}

/** The end of the map belongs to its last slice. */
function lastSlice(value: number, max: number): number {
  return Math.min(2 ** stepsMax - 1, sliceOf(value, max, stepsMax))
}

/** The middle of the smallest cell that a score stands for; undefined where it stands for none. */
export function placeOfScore(score: number): Place | undefined {
  if (!(score >= 0 && score < 2 ** (2 * stepsMax))) return undefined
  let latitudeSlice = 0
  let longitudeSlice = 0
  let rest = Math.floor(score)
  for (let step = 0; step < stepsMax; step++) {
    const pair = rest % 4
    latitudeSlice += (pair & 1) * 2 ** step
    longitudeSlice += (pair >> 1) * 2 ** step
    rest = Math.floor(rest / 4)
  }
  return {
    longitude: middleOf(longitudeSlice, longitudeMax),
    latitude: middleOf(latitudeSlice, latitudeMax),
  }
}

function middleOf(slice: number, max: number): number {
  const count = 2 ** stepsMax
  const low = -max + (slice / count) * (2 * max)
  const high = -max + ((slice + 1) / count) * (2 * max)
  return (low + high) / 2
}

/** The text of 11 characters that others know as a geohash; it counts latitudes to the poles, and its last character is always 0. */
export function geohashOf({ longitude, latitude }: Place): string {
  const bits = mixed(lastSlice(latitude, 90), lastSlice(longitude, longitudeMax), stepsMax)
  let text = ''
  for (let i = 1; i < textChars; i++) text += alphabet[Math.floor(bits / 2 ** (2 * stepsMax - 5 * i)) % 32]
  return `${text}0`
}

export function latitudeMetres(from: number, to: number): number {
  return earthRadiusMetres * Math.abs(to * radians - from * radians)
}

/** Along a great circle, the earth taken as a ball. */
export function metresBetween(from: Place, to: Place): number {
  const v = Math.sin((to.longitude * radians - from.longitude * radians) / 2)
  if (v === 0) return latitudeMetres(from.latitude, to.latitude)
  const u = Math.sin((to.latitude * radians - from.latitude * radians) / 2)
  const a = u * u + Math.cos(from.latitude * radians) * Math.cos(to.latitude * radians) * v * v
  return 2 * earthRadiusMetres * Math.asin(Math.sqrt(a))
}

/** How far a box reaches at most that has everything within so many metres to each side of a place. */
function reachOf({ latitude }: Place, halfWidthMetres: number, halfHeightMetres: number): Reach {
  const latitudes = halfHeightMetres / earthRadiusMetres / radians + roundingDegrees
  // Meridians are nearest to each other at the side that is nearer to a pole.
  const farthest = Math.abs(latitude) + latitudes
  if (farthest >= 90) return { longitude: longitudeMax, latitude: latitudes }
  const sine = Math.sin(Math.min(halfWidthMetres / earthRadiusMetres, Math.PI) / 2) / Math.cos(farthest * radians)
  const longitudes = sine >= 1 ? longitudeMax : (2 * Math.asin(sine)) / radians + roundingDegrees
  return { longitude: Math.min(longitudeMax, longitudes), latitude: latitudes }
}

/** The cells in which everything lies that is at most so far from a place to each side: the smallest of which few are enough. */
export function cellsAround(place: Place, halfWidthMetres: number, halfHeightMetres: number): Cell[] {
  const reach = reachOf(place, halfWidthMetres, halfHeightMetres)
  const low = Math.max(-latitudeMax, place.latitude - reach.latitude)
  const high = Math.min(latitudeMax, place.latitude + reach.latitude)
  for (let steps = stepsMax; steps > 0; steps--) {
    const count = 2 ** steps
    const bottom = Math.min(count - 1, sliceOf(low, latitudeMax, steps))
    const top = Math.min(count - 1, sliceOf(high, latitudeMax, steps))
    // Not yet turned back into the map: a box may lie across the line where longitudes begin again.
    const left = sliceOf(place.longitude - reach.longitude, longitudeMax, steps)
    const columns = Math.min(count, sliceOf(place.longitude + reach.longitude, longitudeMax, steps) - left + 1)
    if ((top - bottom + 1) * columns > cellsMax) continue
    return cellsBetween(bottom, top, left, columns, steps)
  }
  return [{ first: 0, end: 2 ** (2 * stepsMax) }]
}

function cellsBetween(bottom: number, top: number, left: number, columns: number, steps: number): Cell[] {
  const size = 4 ** (stepsMax - steps)
  const count = 2 ** steps
  const cells: Cell[] = []
  for (let row = bottom; row <= top; row++) {
    for (let column = left; column < left + columns; column++) {
      const bits = mixed(row, ((column % count) + count) % count, steps)
      cells.push({ first: bits * size, end: (bits + 1) * size })
    }
  }
  return cells.sort((a, b) => a.first - b.first)
}
