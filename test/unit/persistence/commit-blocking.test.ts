import { expect, test } from 'vitest'
import { CommitBlocking } from '../../../src/persistence/aof/commit-blocking.ts'

test('the server waits as long as everybody who is heard waits for the fsync', () => {
  const blocking = new CommitBlocking()
  expect(blocking.mayBlock(3, 3, 1000)).toBe(true)
  expect(blocking.mayBlock(5, 2, 2000)).toBe(true)
  // Three batches, and two of the clients wait.
  expect(blocking.mayBlock(8, 2, 3000)).toBe(false)
  expect(blocking.mayBlock(10, 2, 102_999)).toBe(false)
  expect(blocking.mayBlock(12, 2, 103_000)).toBe(true)
})

test('nobody waits: a thread, as for keys that expire', () => {
  const blocking = new CommitBlocking()
  expect(blocking.mayBlock(0, 0, 1000)).toBe(false)
  expect(blocking.mayBlock(1, 1, 2000)).toBe(true)
})

test('statistics that were reset count as somebody else', () => {
  const blocking = new CommitBlocking()
  expect(blocking.mayBlock(10, 10, 1000)).toBe(true)
  expect(blocking.mayBlock(1, 1, 2000)).toBe(false)
})

test('where fsyncs take long a thread does them, as long as they do', () => {
  const blocking = new CommitBlocking()
  // One that takes long says nothing of the disk.
  blocking.took(30_000)
  expect(blocking.mayBlock(1, 1, 0)).toBe(true)
  for (let times = 0; times < 20; times++) blocking.took(10_000)
  expect(blocking.mayBlock(2, 1, 0)).toBe(false)
  for (let times = 0; times < 40; times++) blocking.took(500)
  expect(blocking.mayBlock(3, 1, 0)).toBe(true)
})
