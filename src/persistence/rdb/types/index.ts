/**
 * The codecs of Redis's data types beside strings, one file each.
 */
import type { Keyspace } from '../../../keyspace/keyspace.ts'
import type { RdbTypeCodec } from '../type-codec.ts'

export function dataTypeCodecs(_keyspace: Keyspace): RdbTypeCodec[] {
  return []
}
