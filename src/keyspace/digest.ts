/**
 * The digest of DEBUG DIGEST and DEBUG DIGEST-VALUE, equal to Redis's for equal data: 20 bytes made of SHA-1, where what has no
 * order is xored and what has one is chained.
 *
 *   add(d, data) = d xor SHA1(data)            mix(d, data) = SHA1(d xor SHA1(data))
 *   value  = mix(type as 4 bytes, big endian), then what the type says, then add("!!expire!!") if it expires
 *   all    = for each database that is not empty: mix(its number, 4 bytes), then add(mix(key) then value) for each key
 *
 * Source: Redis's computeDatasetDigest and xorObjectDigest.
 */
import { Sha1 } from '../base/sha1.ts'
import type { Ref } from '../memory/arena.ts'
import type { Db } from './db.ts'
import { TYPE_STRING } from './entry.ts'
import type { Keyspace } from './keyspace.ts'

const DIGEST_BYTES = 20
const EXPIRE_MARK = new Uint8Array(Buffer.from('!!expire!!'))

/** A digest in the making. */
export class Digest {
  readonly bytes = new Uint8Array(DIGEST_BYTES)
  private readonly sha1: Sha1
  private readonly hash = new Uint8Array(DIGEST_BYTES)
  private readonly number = new Uint8Array(4)

  constructor(sha1 = new Sha1()) {
    this.sha1 = sha1
  }

  clear(): void {
    this.bytes.fill(0)
  }

  /** Adds data that has no order among others. */
  add(buf: Uint8Array, start: number, end: number): void {
    const { bytes, hash } = this
    this.sha1.digestInto(buf, start, end, hash, 0)
    for (let i = 0; i < DIGEST_BYTES; i++) bytes[i]! ^= hash[i]!
  }

  /** Adds data whose place among others matters. */
  mix(buf: Uint8Array, start: number, end: number): void {
    this.add(buf, start, end)
    this.sha1.digestInto(this.bytes, 0, DIGEST_BYTES, this.bytes, 0)
  }

  /** Mixes a number as four bytes, big endian. */
  mixNumber(value: number): void {
    for (let i = 0; i < 4; i++) this.number[i] = value >>> (24 - 8 * i)
    this.mix(this.number, 0, 4)
  }

  toString(): string {
    return Buffer.from(this.bytes).toString('hex')
  }
}

/** DEBUG DIGEST-VALUE of an entry, as 40 hexadecimal digits. */
export function valueDigest(db: Db, entry: Ref): string {
  const digest = new Digest()
  mixValue(digest, db, entry)
  return digest.toString()
}

/** DEBUG DIGEST: the digest of all databases, as 40 hexadecimal digits. Forty zeros if there is no key. */
export function datasetDigest(keyspace: Keyspace): string {
  const sha1 = new Sha1()
  const all = new Digest(sha1)
  const one = new Digest(sha1)
  for (const db of keyspace.databases) {
    if (db.size === 0) continue
    all.mixNumber(db.index)
    db.forEach((entry) => {
      one.clear()
      const at = db.keyAt(entry)
      one.mix(db.bytesOf(entry), at, at + db.keyLength(entry))
      mixValue(one, db, entry)
      all.add(one.bytes, 0, DIGEST_BYTES)
    })
  }
  return all.toString()
}

function mixValue(digest: Digest, db: Db, entry: Ref): void {
  const type = db.typeOf(entry)
  digest.mixNumber(type)
  if (type === TYPE_STRING) {
    const at = db.valueAt(entry)
    digest.mix(db.bytesOf(entry), at, at + db.valueLength(entry))
  } else db.keyspace.types[type]!.digest(db.rootOf(entry), db.encodingOf(entry), digest)
  if (db.expireAtMs(entry) >= 0) digest.add(EXPIRE_MARK, 0, EXPIRE_MARK.length)
}
