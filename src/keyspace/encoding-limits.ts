/**
 * Up to what size values stay small: the parameters that decide between compact and full encodings, as plain fields that
 * hot code reads. The server's configuration writes them; defaults are Redis 7.0's.
 */
export class EncodingLimits {
  /** list-max-listpack-size: elements per node if positive, else -1 to -5 for 4 KiB to 64 KiB. */
  listMaxListpackSize = -2
  /** list-compress-depth: nodes at each end that stay uncompressed; 0 = none is compressed. */
  listCompressDepth = 0
  /** set-max-intset-entries. */
  setMaxIntsetEntries = 512
  /** hash-max-listpack-entries and -value. */
  hashMaxListpackEntries = 512
  hashMaxListpackValueBytes = 64
  /** zset-max-listpack-entries and -value. */
  zsetMaxListpackEntries = 128
  zsetMaxListpackValueBytes = 64
  /** stream-node-max-bytes and -entries; 0 = no limit. */
  streamNodeMaxBytes = 4096
  streamNodeMaxEntries = 100
  /** hll-sparse-max-bytes. */
  hllSparseMaxBytes = 3000
}
