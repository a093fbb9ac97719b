/**
 * GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]: adds places to a sorted set. Reply: how
 * many are new, with CH how many are new or lie elsewhere now.
 * It is ZADD with geohashes as scores, and is propagated as that. Source: Redis command reference (since 3.2.0).
 */
import { Argv } from '../../base/argv.ts'
import { defineCommand, firstKey, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, WRITE } from '../../engine/flags.ts'
import { ERR_SYNTAX } from '../../resp/errors.ts'
import { addMembers } from '../zset/add.ts'
import { Cell, STEPS_MAX, scoreText } from './geohash.ts'
import { type LongLat, readLongLat } from './place-arguments.ts'

export const geoadd = defineCommand({
  name: 'GEOADD',
  arity: -5,
  flags: WRITE | DENYOOM,
  acl: ['geo'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'geo',
    since: '3.2.0',
    complexity: 'O(log(N)) for each place, N being the size of the sorted set.',
    summary: 'Adds places to a sorted set, or moves them.',
  },
  run(ctx, argv, reply) {
    let first = 2
    let hasNx = false
    let hasXx = false
    for (; first < argv.count; first++) {
      if (argv.is(first, 'NX')) hasNx = true
      else if (argv.is(first, 'XX')) hasXx = true
      else if (!argv.is(first, 'CH')) break
    }
    if ((argv.count - first) % 3 !== 0 || (hasNx && hasXx)) return reply.error(ERR_SYNTAX)
    const parts: (string | Uint8Array)[] = ['zadd']
    for (let i = 1; i < first; i++) parts.push(argv.view(i))
    const cell = new Cell()
    const place: LongLat = { longitude: 0, latitude: 0 }
    for (let i = first; i < argv.count; i += 3) {
      if (!readLongLat(argv, i, place, reply)) return
      cell.locate(place.longitude, place.latitude, STEPS_MAX)
      parts.push(scoreText(cell), argv.view(i + 2))
    }
    const { keyspace } = ctx.engine
    const dirtyBefore = keyspace.dirty
    addMembers(ctx, Argv.of(parts), 0, reply)
    if (keyspace.dirty !== dirtyBefore) ctx.replaceEffect(parts)
  },
})
