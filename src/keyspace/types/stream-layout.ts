/**
 * Streams as blocks of the arena.
 *
 *   stream:   words 0-4 tree of its nodes, by master id (structures/id-tree.ts; values are listpacks, structures/stream-node.ts)
 *             5 index of groups   6 groups   7 entries
 *             8-11 last id   12-15 first id   16-19 greatest deleted id   20 21 entries ever added, low and high
 *   group:    words 0-4 tree of its pending entries, by entry id (values are pending entries)
 *             5 length of the name   6 index of consumers   7 consumers   8-11 last delivered id   12 13 entries read
 *             . name
 *   consumer: words 0-4 tree of its pending entries (the same blocks)   5 length of the name   6 7 last seen, ms   . name
 *   pending:  words 0 1 last delivery, ms   2 3 deliveries   4 consumer
 *
 * Blocks of streams, groups and consumers never move. Numbers of 64 bits have their low word first, ids as in
 * structures/stream-id.ts. Indexes: structures/name-index.ts.
 */
import { ID_WORDS } from '../../structures/stream-id.ts'

export const STREAM_GROUPS = 5
export const STREAM_GROUP_COUNT = 6
export const STREAM_LENGTH = 7
export const STREAM_LAST_ID = 8
export const STREAM_FIRST_ID = STREAM_LAST_ID + ID_WORDS
export const STREAM_DELETED_ID = STREAM_FIRST_ID + ID_WORDS
export const STREAM_ADDED = STREAM_DELETED_ID + ID_WORDS
export const STREAM_WORDS = STREAM_ADDED + 2

export const GROUP_CONSUMERS = 6
export const GROUP_CONSUMER_COUNT = 7
export const GROUP_LAST_ID = 8
export const GROUP_ENTRIES_READ = GROUP_LAST_ID + ID_WORDS
export const GROUP_NAME_OFFSET = (GROUP_ENTRIES_READ + 2) * 4

export const CONSUMER_SEEN = 6
export const CONSUMER_NAME_OFFSET = (CONSUMER_SEEN + 2) * 4

export const PENDING_TIME = 0
export const PENDING_DELIVERIES = 2
export const PENDING_CONSUMER = 4
export const PENDING_BYTES = 20
