/** Places as scores: they come back near where they were, and no search leaves out what is near enough. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random, seedsFor } from '@orbitkv/base'
import {
  cellsAround,
  geohashOf,
  latitudeMax,
  longitudeMax,
  metresBetween,
  type Place,
  placeOfScore,
  scoreOfPlace,
} from './geohash.ts'

test('places have the scores and geohashes that Redis gives them', () => {
  const palermo: Place = { longitude: 13.361389, latitude: 38.115556 }
  assert.equal(scoreOfPlace(palermo), 3479099956230698)
  assert.equal(geohashOf(placeOfScore(3479099956230698) as Place), 'sqc8b49rny0')
  assert.equal(placeOfScore(-1), undefined)
  assert.equal(placeOfScore(2 ** 52), undefined)
  assert.equal(placeOfScore(Number.NaN), undefined)
})

for (const seed of seedsFor('geohash', { kept: [], fresh: 2 })) {
  describe(`random places, ORBIT_SEED=${seed}`, () => {
    const random = new Random(seed)
    const coordinate = (max: number): number =>
      random.chance(10) ? random.pick([-max, 0, max]) : random.between(-max * 1e6, max * 1e6) / 1e6
    const somewhere = (): Place => ({
      longitude: coordinate(longitudeMax),
      latitude: Math.max(-latitudeMax, Math.min(latitudeMax, coordinate(86))),
    })

    test('a score leads back to within a metre', () => {
      for (let i = 0; i < 5000; i++) {
        const place = somewhere()
        const score = scoreOfPlace(place)
        assert.ok(Number.isSafeInteger(score) && score >= 0 && score < 2 ** 52)
        const back = placeOfScore(score) as Place
        assert.ok(metresBetween(place, back) < 1, JSON.stringify({ place, back }))
        assert.equal(scoreOfPlace(back), score)
      }
    })

    test('what is near enough lies in one of few cells, across the line of dates and at the ends of the map, too', () => {
      for (let i = 0; i < 5000; i++) {
        const middle = somewhere()
        const reach = 10 ** random.between(0, 7)
        const other: Place = {
          longitude: ((middle.longitude + 540 + (random.between(-1000, 1000) * reach) / 1e8) % 360) - 180,
          latitude: Math.max(
            -latitudeMax,
            Math.min(latitudeMax, middle.latitude + (random.between(-1000, 1000) * reach) / 1e8),
          ),
        }
        const score = scoreOfPlace(other)
        const kept = placeOfScore(score) as Place
        const metres = metresBetween(middle, kept)
        const cells = cellsAround(middle, metres, metres)
        assert.ok(cells.length <= 9)
        const isWithin = cells.some(({ first, end }) => score >= first && score < end)
        assert.ok(isWithin, JSON.stringify({ middle, kept, metres }))
      }
    })
  })
}
