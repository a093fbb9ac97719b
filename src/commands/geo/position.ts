/**
 * GEOPOS, GEOHASH, GEODIST: where places of a sorted set are, their geohashes as text, and how far two are apart.
 * Source: Redis command reference (since 3.2.0).
 */

import type { Argv } from '../../base/argv.ts'
import { fixedPointText } from '../../base/double-text.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import type { Db } from '../../keyspace/db.ts'
import { NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE } from '../../resp/errors.ts'
import { distance } from './distance.ts'
import { geohashText, Place } from './geohash.ts'
import { readUnit } from './place-arguments.ts'
import { replyCoordinates } from './reply-place.ts'

const COMMON = {
  flags: READONLY,
  acl: ['geo'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>
/** Digits behind the point that a distance is told with. */
export const DISTANCE_DECIMALS = 4

export const geopos = defineCommand({
  ...COMMON,
  name: 'GEOPOS',
  arity: -2,
  doc: {
    group: 'geo',
    since: '3.2.0',
    complexity: 'O(N), N being the number of members asked for.',
    summary: 'Returns the longitudes and latitudes of places.',
  },
  run({ db }, argv, reply) {
    const entry = db.readTyped(argv, 1, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.array(argv.count - 2)
    const place = new Place()
    for (let i = 2; i < argv.count; i++) {
      const score = scoreAt(db, entry, argv, i)
      if (Number.isNaN(score)) reply.nullArray()
      else {
        place.decode(score)
        replyCoordinates(place.longitude, place.latitude, reply)
      }
    }
  },
})

export const geohash = defineCommand({
  ...COMMON,
  name: 'GEOHASH',
  arity: -2,
  doc: {
    group: 'geo',
    since: '3.2.0',
    complexity: 'O(1) for each member asked for.',
    summary: 'Returns the geohashes of places, as text.',
  },
  run({ db }, argv, reply) {
    const entry = db.readTyped(argv, 1, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.array(argv.count - 2)
    const place = new Place()
    for (let i = 2; i < argv.count; i++) {
      const score = scoreAt(db, entry, argv, i)
      if (Number.isNaN(score)) reply.null()
      else {
        place.decode(score)
        reply.bulkLatin1(geohashText(place))
      }
    }
  },
})

export const geodist = defineCommand({
  ...COMMON,
  name: 'GEODIST',
  arity: -4,
  doc: { group: 'geo', since: '3.2.0', complexity: 'O(1)', summary: 'Returns how far two places are apart.' },
  run({ db }, argv, reply) {
    let metersPerUnit = 1
    if (argv.count === 5) {
      metersPerUnit = readUnit(argv, 4, reply)
      if (metersPerUnit === 0) return
    } else if (argv.count > 5) return reply.error(ERR_SYNTAX)
    const entry = db.readTyped(argv, 1, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const fromScore = scoreAt(db, entry, argv, 2)
    const toScore = scoreAt(db, entry, argv, 3)
    if (Number.isNaN(fromScore) || Number.isNaN(toScore)) return reply.null()
    const from = new Place()
    const to = new Place()
    from.decode(fromScore)
    to.decode(toScore)
    const meters = distance(from.longitude, from.latitude, to.longitude, to.latitude)
    reply.bulkLatin1(fixedPointText(meters / metersPerUnit, DISTANCE_DECIMALS))
  },
})

/** The score of the member argv[index], NaN if it is not there. */
export function scoreAt(db: Db, entry: Ref, argv: Argv, index: number): number {
  if (entry === NO_KEY) return Number.NaN
  const { bytes, starts, lengths } = argv
  return db.keyspace.zsets.scoreOf(db.rootOf(entry), db.encodingOf(entry), bytes, starts[index]!, lengths[index]!)
}
