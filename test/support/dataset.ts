/** Whole data sets as maps, for comparing them. */
import { ManualClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { Keyspace } from '../../src/keyspace/keyspace.ts'
import { FunctionLibraries } from '../../src/persistence/rdb/functions.ts'
import { LOADED, NEEDS_INPUT, RdbLoader, type RdbLoadOptions } from '../../src/persistence/rdb/rdb-loader.ts'
import { RdbCodecs } from '../../src/persistence/rdb/type-codec.ts'

/** "db:key" -> "encoding expire value", one character per byte, of all keys, overdue or not. */
export function contentsOf(keyspace: Keyspace): Map<string, string> {
  const contents = new Map<string, string>()
  for (const db of keyspace.databases) {
    db.forEach((entry) => {
      const name = `${db.index}:${Buffer.from(db.keyBytes(entry)).toString('latin1')}`
      const bytes = Buffer.from(db.valueView(entry)).toString('latin1')
      if (contents.has(name)) throw new Error(`${name} is there twice`)
      contents.set(name, `${db.exactExpireAtMs(entry)} ${bytes}`)
    })
  }
  return contents
}

export const LOAD_ALL: RdbLoadOptions = {
  codecs: new RdbCodecs([]),
  functions: new FunctionLibraries(),
  dropsExpired: false,
  replaces: false,
  checksum: true,
  usage: 'none',
  keyDelayUs: 0,
  log() {},
}

/** What a file holds. Throws what the loader throws. */
export function loadInto(
  bytes: Uint8Array,
  databases: number,
  options: Partial<RdbLoadOptions> = {},
): Map<string, string> {
  const keyspace = new Keyspace(new ManualClock(), Random.fromSeed(1), databases)
  loadWhole(keyspace, bytes, options)
  return contentsOf(keyspace)
}

export function loadWhole(keyspace: Keyspace, bytes: Uint8Array, options: Partial<RdbLoadOptions> = {}): RdbLoader {
  const loader = new RdbLoader(keyspace, { ...LOAD_ALL, ...options }, bytes.length)
  let at = 0
  for (;;) {
    const status = loader.run(Number.POSITIVE_INFINITY)
    if (status === LOADED) return loader
    if (status !== NEEDS_INPUT) continue
    loader.makeRoom()
    const count = Math.min(bytes.length - at, loader.window.length - loader.roomStart)
    if (count === 0) loader.endOfInput()
    loader.window.set(bytes.subarray(at, at + count), loader.roomStart)
    loader.received(count)
    at += count
  }
}
