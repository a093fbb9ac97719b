/**
 * The codecs of Redis's data types beside strings, one file each.
 */
import type { Keyspace } from '../../../keyspace/keyspace.ts'
import type { RdbTypeCodec } from '../type-codec.ts'
import { HashCodec } from './hash.ts'
import { ListCodec } from './list.ts'
import { SetCodec } from './set.ts'
import { StreamCodec } from './stream.ts'
import { ZsetCodec } from './zset.ts'

export function dataTypeCodecs(keyspace: Keyspace): RdbTypeCodec[] {
  return [
    new HashCodec(keyspace),
    new ListCodec(keyspace),
    new SetCodec(keyspace),
    new StreamCodec(keyspace),
    new ZsetCodec(keyspace),
  ]
}
