/**
 * The ground of all commands: hashing a key, finding it, setting and removing it, in a keyspace of a million keys that
 * are met in random order, so that the caches miss as they do in a server.
 * Run: node scripts/run-ts.mjs bench/micro/hash-table.ts
 */
import { SystemClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { ENCODING_RAW } from '../../src/keyspace/entry.ts'
import { Keyspace } from '../../src/keyspace/keyspace.ts'
import { measure } from './measure.ts'

const KEYS = 1 << 20
const KEY_BYTES = 16
const VALUE_BYTES = 64

const random = Random.fromSeed(11)
const keyspace = new Keyspace(new SystemClock(), random, 2)
const { table, arena } = keyspace
const [db, other] = [keyspace.databases[0]!, keyspace.databases[1]!]
const keys = new Uint8Array((KEYS + 1) * KEY_BYTES)
for (let i = 0; i < KEYS; i++) keys.set(Buffer.from(`key:${i}`.padEnd(KEY_BYTES, '.')), i * KEY_BYTES)
const value = new Uint8Array(VALUE_BYTES).fill(118)
const order = Int32Array.from({ length: KEYS }, () => random.below(KEYS) * KEY_BYTES)
const at = (i: number): number => order[i & (KEYS - 1)]!
for (let i = 0; i < KEYS; i++) db.setString(keys, i * KEY_BYTES, KEY_BYTES, value, 0, VALUE_BYTES, ENCODING_RAW, false)
while (db.rehash(1000));
const keyTable = db.tables()[0]!.table

let sink = 0
measure('hash of a key of 16 bytes', (i) => {
  sink ^= table.hashOf(keys, at(i), KEY_BYTES)
})
measure('find', (i) => {
  const start = at(i)
  sink ^= table.find(keyTable, table.hashOf(keys, start, KEY_BYTES), keys, start, KEY_BYTES)
})
measure('find, absent', (i) => {
  // The same bytes with one of the next key.
  const start = at(i) + 1
  sink ^= table.find(keyTable, table.hashOf(keys, start, KEY_BYTES), keys, start, KEY_BYTES)
})
measure('setString over a value of the same length', (i) => {
  sink ^= db.setString(keys, at(i), KEY_BYTES, value, 0, VALUE_BYTES, ENCODING_RAW, false)
})
measure('setString of a new key, and its removal', (i) => {
  const start = at(i)
  other.setString(keys, start, KEY_BYTES, value, 0, VALUE_BYTES, ENCODING_RAW, false)
  other.removeKey(keys, start, KEY_BYTES)
})
measure('setExpire and persist', (i) => {
  const start = at(i)
  db.persist(db.setExpire(db.peek(keys, start, KEY_BYTES), 1e15))
})
measure('random entry', () => {
  sink ^= table.random(keyTable, random)
})
measure('scan of a bucket', (i) => {
  sink ^= table.scan(keyTable, i)
})
measure('allocate and release 92 bytes', () => {
  const ref = arena.allocate(92)
  sink ^= ref
  arena.release(ref)
})
if (sink === 1) console.log()
