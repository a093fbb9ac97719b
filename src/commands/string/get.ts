/**
 * GET key. Reply: the value, or null. WRONGTYPE for other types.
 * Source: Redis command reference, GET (since 1.0.0).
 */
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { FAST, READONLY } from '../../engine/flags.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'

export const get = defineCommand({
  name: 'GET',
  arity: 2,
  flags: READONLY | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: { group: 'string', since: '1.0.0', complexity: 'O(1)', summary: 'Returns the value of a string key.' },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = db.readString(argv, 1)
    if (entry === NO_KEY) return reply.null()
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.bulk(db.bytesOf(entry), db.valueAt(entry), db.valueLength(entry))
  },
})
