/** Commands on places, each with its answer in both versions of the protocol (those of redis-server 7.0.15): part of the table in commands.test.ts. */

import type { Answer } from './answers-suite.ts'

export const geoAnswers: readonly (readonly [command: string, answer: Answer])[] = [
  ['GEOADD sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania', ':2\r\n'],
  [
    'GEOPOS sicily Palermo none',
    [
      '*2\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*-1\r\n',
      '*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n',
    ],
  ],
  ['GEODIST sicily Palermo Catania km', '$8\r\n166.2742\r\n'],
  ['GEOHASH sicily Palermo none', ['*2\r\n$11\r\nsqc8b49rny0\r\n$-1\r\n', '*2\r\n$11\r\nsqc8b49rny0\r\n_\r\n']],
  ['GEORADIUS sicily 15 37 100 km', '*1\r\n$7\r\nCatania\r\n'],
  ['GEORADIUS_RO sicily 15 37 200 km ASC', '*2\r\n$7\r\nCatania\r\n$7\r\nPalermo\r\n'],
  ['GEORADIUSBYMEMBER sicily Palermo 100 km', '*1\r\n$7\r\nPalermo\r\n'],
  ['GEORADIUSBYMEMBER_RO sicily Palermo 200 km DESC', '*2\r\n$7\r\nCatania\r\n$7\r\nPalermo\r\n'],
  ['GEOSEARCH sicily FROMLONLAT 15 37 BYRADIUS 100 km WITHDIST', '*1\r\n*2\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n'],
  ['GEOSEARCHSTORE near sicily FROMLONLAT 15 37 BYBOX 400 400 km', ':2\r\n'],
  ['DEL sicily near', ':2\r\n'],
]
