/**
 * Saving and loading of 300,000 keys of 16 bytes with values of 64 bytes: CPU per key, and the longest step of a save in
 * the background. Values that LZF cannot shorten, and such that it can.
 * Run: node scripts/run-ts.mjs bench/micro/rdb.ts
 */
import { SystemClock } from '../../src/base/clock.ts'
import { LzfCompressor } from '../../src/base/lzf.ts'
import { Random } from '../../src/base/random.ts'
import { stringEncoding } from '../../src/keyspace/db.ts'
import { Keyspace } from '../../src/keyspace/keyspace.ts'
import { type DatasetInfo, DatasetWriter } from '../../src/persistence/rdb/dataset-writer.ts'
import { FunctionLibraries } from '../../src/persistence/rdb/functions.ts'
import { LOADED, NEEDS_INPUT, RdbLoader } from '../../src/persistence/rdb/rdb-loader.ts'
import { RdbWriter } from '../../src/persistence/rdb/rdb-writer.ts'
import { SnapshotWalk } from '../../src/persistence/rdb/snapshot-walk.ts'
import { RdbCodecs } from '../../src/persistence/rdb/type-codec.ts'

const KEYS = 300_000
const ROUNDS = 7
const BUFFER_BYTES = 256 * 1024
const STEP_US = 1000
const codecs = new RdbCodecs([])
const lzf = new LzfCompressor()
const options = { compression: true, checksum: true, keyDelayUs: 0, lzf }
const info: DatasetInfo = {
  nowMs: 0,
  usedMemoryBytes: 0,
  isAofBase: false,
  replication: null,
  functions: [],
  usage: 'none',
}

function filled(makeValue: (random: Random) => Uint8Array): Keyspace {
  const random = Random.fromSeed(1)
  const keyspace = new Keyspace(new SystemClock(), random, 1)
  const db = keyspace.databases[0]!
  for (let i = 0; i < KEYS; i++) {
    const key = Buffer.from(`key:${String(i).padStart(12, '0')}`)
    const value = makeValue(random)
    db.setString(key, 0, key.length, value, 0, value.length, stringEncoding(value, 0, value.length), false)
  }
  return keyspace
}

function save(keyspace: Keyspace): Uint8Array {
  const chunks: Uint8Array[] = []
  const take = (bytes: Uint8Array, length: number) => {
    chunks.push(bytes.slice(0, length))
    return bytes
  }
  const writer = new RdbWriter({ take }, new Uint8Array(BUFFER_BYTES), options, lzf)
  const dataset = new DatasetWriter(keyspace, codecs, writer, info)
  const { table } = keyspace
  for (const db of keyspace.databases) {
    let cursor = 0
    do {
      cursor = db.gather(cursor)
      for (let i = 0; i < table.scannedCount; i++) dataset.entry(db.index, db, table.scanned[i]!)
    } while (cursor !== 0)
  }
  dataset.finish()
  return Buffer.concat(chunks)
}

/** Returns the longest step in microseconds of CPU. */
function walk(keyspace: Keyspace): number {
  const sink = { take: (bytes: Uint8Array) => bytes }
  const snapshot = new SnapshotWalk(keyspace, codecs, sink, new Uint8Array(BUFFER_BYTES), info, options, () => {})
  let longestUs = 0
  for (let isOver = false; !isOver; ) {
    const before = process.cpuUsage()
    isOver = snapshot.step(STEP_US)
    longestUs = Math.max(longestUs, usedUs(before))
  }
  return longestUs
}

function load(file: Uint8Array): void {
  const keyspace = new Keyspace(new SystemClock(), Random.fromSeed(1), 1)
  const loader = new RdbLoader(
    keyspace,
    {
      codecs,
      functions: new FunctionLibraries(),
      dropsExpired: true,
      replaces: false,
      checksum: true,
      usage: 'none',
      keyDelayUs: 0,
      log() {},
    },
    file.length,
  )
  for (let at = 0; ; ) {
    const status = loader.run(Number.POSITIVE_INFINITY)
    if (status === LOADED) break
    if (status !== NEEDS_INPUT) continue
    loader.makeRoom()
    const count = Math.min(file.length - at, loader.window.length - loader.roomStart)
    loader.window.set(file.subarray(at, at + count), loader.roomStart)
    loader.received(count)
    at += count
  }
  if (keyspace.databases[0]!.size !== KEYS) throw new Error('not all keys were loaded')
}

function usedUs(before: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(before)
  return used.user + used.system
}

function median(run: () => void): string {
  const perKeyNs = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage()
    run()
    return (usedUs(before) * 1000) / KEYS
  }).sort((a, b) => a - b)
  return `${perKeyNs[ROUNDS >> 1]!.toFixed(0)} ns per key`
}

const text = Buffer.from('{"state":"active","last_state":"active","next_state":"inactive",')
for (const [name, makeValue] of [
  ['random values', (random: Random) => Buffer.from(Uint32Array.from({ length: 16 }, () => random.int32()).buffer)],
  ['text values', (random: Random) => text.subarray(0, 60 + random.below(5))],
] as const) {
  const keyspace = filled(makeValue)
  const file = save(keyspace)
  console.log(`${name}: ${(file.length / KEYS).toFixed(1)} bytes per key in the file`)
  console.log(`  save                ${median(() => void save(keyspace))}`)
  const longestUs: number[] = []
  console.log(`  save in steps       ${median(() => void longestUs.push(walk(keyspace)))}`)
  console.log(`  longest step        ${longestUs.sort((a, b) => a - b)[ROUNDS >> 1]} us, the median of ${ROUNDS} saves`)
  console.log(`  load                ${median(() => load(file))}`)
}
