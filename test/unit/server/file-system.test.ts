/** The disk as persistence sees it: a save in the background on real files, and the system's errors in Redis's words. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FileError } from '../../../src/persistence/file-system.ts'
import { nodeFileSystem } from '../../../src/server/file-system.ts'
import { contentsOf, loadInto } from '../../support/dataset.ts'
import { createTestPersistence } from '../../support/persistence.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'o7-files-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function errorOf(run: () => unknown): Promise<FileError> {
  try {
    await run()
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
  throw new Error('nothing was wrong')
}

describe('nodeFileSystem', () => {
  test('writes at positions in any order, with and without waiting', async () => {
    const path = join(folder, 'file')
    const file = nodeFileSystem.create(path)
    const later = file.write(Buffer.from('world, and more'), 5, 6)
    file.writeSync(Buffer.from('hello '), 6, 0)
    await later
    await file.sync()
    file.syncSync()
    await file.close()
    expect(readFileSync(path, 'utf8')).toBe('hello world')
    const readable = nodeFileSystem.openForReading(path)
    expect(readable.sizeBytes).toBe(11)
    const into = Buffer.alloc(8)
    expect(readable.readSync(into, 2)).toBe(6)
    expect(into.subarray(2).toString()).toBe('hello ')
    expect(readable.readSync(into, 0)).toBe(5)
    expect(readable.readSync(into, 0)).toBe(0)
    readable.closeSync()
  })

  test('puts a file in the place of another, or of none', async () => {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')]
    for (const text of ['first', 'second']) {
      writeFileSync(from, text)
      nodeFileSystem.replaceSync(from, to)
      nodeFileSystem.syncFolderSync(folder)
      await nodeFileSystem.syncFolder(folder)
      expect(readFileSync(to, 'utf8')).toBe(text)
    }
    nodeFileSystem.removeSync(to)
    nodeFileSystem.removeSync(to)
    expect(readdirSync(folder)).not.toContain('to')
  })

  test('says what the system says, as the C library does', async () => {
    const missing = join(folder, 'no', 'where')
    const aFolder = join(folder, 'folder')
    mkdirSync(aFolder)
    const file = nodeFileSystem.create(join(folder, 'closed'))
    file.closeSync()
    const errors = await Promise.all([
      errorOf(() => nodeFileSystem.openForReading(missing)),
      errorOf(() => nodeFileSystem.create(missing)),
      errorOf(() => nodeFileSystem.create(aFolder)),
      errorOf(() => nodeFileSystem.replaceSync(missing, join(folder, 'to'))),
      errorOf(() => nodeFileSystem.removeSync(aFolder)),
      errorOf(() => nodeFileSystem.syncFolder(missing)),
      errorOf(() => file.syncSync()),
      errorOf(() => file.write(Buffer.from('x'), 1, 0)),
    ])
    expect(errors.map(({ code }) => code)).toEqual([
      'ENOENT',
      'ENOENT',
      'EISDIR',
      'ENOENT',
      expect.stringMatching(/^(EISDIR|EPERM)$/),
      'ENOENT',
      'EBADF',
      'EBADF',
    ])
    expect(errors[0]!.message).toBe('No such file or directory')
    expect(errors[2]!.message).toBe('Is a directory')
  })

  test('a save in the background reaches the disk', async () => {
    const dir = join(folder, 'data')
    mkdirSync(dir)
    const test = createTestPersistence({ fileSystem: nodeFileSystem })
    test.settings.dir = dir
    for (let i = 0; i < 3000; i++) test.client.send('SET', `key:${i}`, `${i} `.repeat(i % 500))
    const before = contentsOf(test.engine.keyspace)
    expect(test.client.send('BGSAVE')).toBe('+Background saving started\r\n')
    for (let turns = 0; test.persistence.state.isSaving; turns++) {
      if (!test.scheduler.turn()) await new Promise((resolve) => setImmediate(resolve))
      test.client.send('SET', `key:${turns % 3000}`, 'changed')
    }
    expect(test.persistence.state.lastSaveFailed).toBe(false)
    expect(readdirSync(dir)).toEqual(['dump.rdb'])
    const bytes = readFileSync(join(dir, 'dump.rdb'))
    expect(statSync(join(dir, 'dump.rdb')).size).toBe(bytes.length)
    expect(loadInto(bytes, 16)).toEqual(before)
  })
})
