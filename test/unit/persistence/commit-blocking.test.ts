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

test('after an fsync that took long a thread does it for some seconds', () => {
  const blocking = new CommitBlocking()
  blocking.took(2000, 10_000)
  expect(blocking.mayBlock(1, 1, 10_000)).toBe(true)
  blocking.took(2001, 20_000)
  expect(blocking.mayBlock(2, 1, 20_000)).toBe(false)
  // Somebody else meanwhile makes it no shorter.
  expect(blocking.mayBlock(9, 1, 30_000)).toBe(false)
  expect(blocking.mayBlock(10, 1, 5_019_999)).toBe(false)
  expect(blocking.mayBlock(11, 1, 5_020_000)).toBe(true)
})
