/** Commands on places on the earth; what they do is in collections/geo.ts. */

import * as geo from '../collections/geo.ts'
import { oneKey, writing } from './collections.ts'
import type { CommandSpec, UnknownKeys } from './command.ts'

const places = { group: 'geo', categories: ['geo'] } as const
const difference =
  'What Redis does not put into an order comes in that of the scores. What lies exactly on the eastern or northern end of the map counts to the last cell before it, not to one of its own beyond. A member whose score no GEOADD makes has no place.'
const searchOptions =
  '<FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius unit | BYBOX width height unit> [ASC | DESC] [COUNT count [ANY]]'
const radiusOptions = 'radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]'
const complexity = 'O(N + log M) for N of M members in the cells around'

/** Of GEORADIUS and its kin: behind the last STORE or STOREDIST. */
function storedBehind(radiusPlace: number): UnknownKeys {
  return {
    unknown: true,
    told: { words: ['STORE', 'STOREDIST'], from: radiusPlace + 2 },
    flags: ['OW', 'update'],
    find: (found, offset) => geo.keyOfRadiusStore(found, offset, radiusPlace),
  }
}

export const geoCommands: readonly CommandSpec[] = [
  {
    ...places,
    name: 'geoadd',
    arity: -5,
    flags: ['write', 'denyoom'],
    keys: oneKey('RW', 'update'),
    since: '3.2.0',
    complexity: 'O(log N) for each member of N',
    summary: 'Gives members places, adding those that are new.',
    syntax: 'key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]',
    difference,
    run: writing(geo.geoadd),
  },
  {
    ...places,
    name: 'geopos',
    arity: -2,
    flags: ['readonly'],
    keys: oneKey('RO', 'access'),
    since: '3.2.0',
    complexity: 'O(1) for each member',
    summary: 'The places of members.',
    syntax: 'key [member [member ...]]',
    run: geo.geopos,
  },
  {
    ...places,
    name: 'geohash',
    arity: -2,
    flags: ['readonly'],
    keys: oneKey('RO', 'access'),
    since: '3.2.0',
    complexity: 'O(1) for each member',
    summary: 'The places of members as geohashes.',
    syntax: 'key [member [member ...]]',
    run: geo.geohash,
  },
  {
    ...places,
    name: 'geodist',
    arity: -4,
    flags: ['readonly'],
    keys: oneKey('RO', 'access'),
    since: '3.2.0',
    complexity: 'O(1)',
    summary: 'How far one member is from another.',
    syntax: 'key member1 member2 [M | KM | FT | MI]',
    run: geo.geodist,
  },
  {
    ...places,
    name: 'geosearch',
    arity: -7,
    flags: ['readonly'],
    keys: oneKey('RO', 'access'),
    since: '6.2.0',
    complexity,
    summary: 'Members in a circle or a box.',
    syntax: `key ${searchOptions} [WITHCOORD] [WITHDIST] [WITHHASH]`,
    difference,
    run: geo.geosearch,
  },
  {
    ...places,
    name: 'geosearchstore',
    arity: -8,
    flags: ['write', 'denyoom'],
    keys: [...oneKey('OW', 'update'), { first: 2, last: 2, step: 1, flags: ['RO', 'access'] }],
    since: '6.2.0',
    complexity,
    summary: 'Stores the members in a circle or a box.',
    syntax: `destination source ${searchOptions} [STOREDIST]`,
    run: writing(geo.geosearchstore),
  },
  ...(['place', 'member'] as const).flatMap((from): CommandSpec[] => {
    const byMember = from === 'member'
    const radiusPlace = byMember ? 3 : 4
    const old = {
      ...places,
      arity: -radiusPlace - 2,
      deprecatedSince: '6.2.0',
      complexity,
      summary: byMember ? 'Members in a circle around one of them.' : 'Members in a circle.',
    } as const
    const syntax = `key ${byMember ? 'member' : 'longitude latitude'} ${radiusOptions}`
    const name = byMember ? 'georadiusbymember' : 'georadius'
    return [
      {
        ...old,
        name,
        flags: ['write', 'denyoom', 'movablekeys'],
        keys: [...oneKey('RO', 'access'), storedBehind(radiusPlace)],
        since: '3.2.0',
        replacedBy: '`GEOSEARCH` and `GEOSEARCHSTORE`',
        syntax: `${syntax} [STORE key] [STOREDIST key]`,
        run: writing((call) => geo.georadius(call, from, true)),
      },
      {
        ...old,
        name: `${name}_ro`,
        flags: ['readonly'],
        keys: oneKey('RO', 'access'),
        since: '3.2.10',
        replacedBy: '`GEOSEARCH`',
        syntax,
        run: (call) => geo.georadius(call, from, false),
      },
    ]
  }),
]
