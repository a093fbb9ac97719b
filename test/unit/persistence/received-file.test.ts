import { expect, test } from 'vitest'
import { FileError } from '../../../src/persistence/file-system.ts'
import { ReceivedFile } from '../../../src/persistence/received-file.ts'
import { MemoryFiles, ticks } from '../../support/memory-files.ts'

const MIB = 1024 * 1024
const BYTES = new Uint8Array(MIB).fill(7)

function receive(): { files: MemoryFiles; file: ReceivedFile; syncs: () => number } {
  const files = new MemoryFiles()
  files.isSlow = true
  const file = new ReceivedFile(files, '/data', 'temp.rdb', 'dump.rdb')
  return { files, file, syncs: () => files.journal.filter((line) => line.startsWith('sync ')).length }
}

test('the disk is given what has come while the rest comes', async () => {
  const { files, file, syncs } = receive()
  for (let i = 0; i < 20; i++) file.write(BYTES, 0, MIB)
  await files.settle()
  expect(syncs()).toBe(1)
  for (let i = 0; i < 2; i++) file.write(BYTES, 0, MIB)
  const synced = file.sync()
  await ticks()
  await files.settle()
  await synced
  expect(syncs()).toBe(3)
  file.place()
  expect(files.content('/data/dump.rdb')).toHaveLength(22 * MIB)
  expect(files.openFiles).toBe(0)
})

test('a little is synced once, in the end', async () => {
  const { files, file, syncs } = receive()
  file.write(BYTES, 0, MIB)
  expect(await files.settle()).toBe(0)
  const synced = file.sync()
  await ticks()
  await files.settle()
  await synced
  expect(syncs()).toBe(1)
})

test('a failure on the way is told in the end, even if nothing fails then', async () => {
  const { files, file } = receive()
  const error = new FileError('EIO', 'Input/output error')
  files.fail('sync', error)
  for (let i = 0; i < 8; i++) file.write(BYTES, 0, MIB)
  await files.settle()
  files.fail('sync', null)
  file.write(BYTES, 0, MIB)
  const synced = expect(file.sync()).rejects.toBe(error)
  await files.settle()
  await synced
  file.discard()
  expect(files.names).toEqual([])
})
