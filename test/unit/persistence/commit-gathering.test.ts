import { expect, test } from 'vitest'
import { CommitGathering } from '../../../src/persistence/aof/commit-gathering.ts'
import { ManualScheduler } from '../../support/persistence.ts'

function start(): { gathering: CommitGathering; scheduler: ManualScheduler; timeouts: () => number } {
  const scheduler = new ManualScheduler()
  let timeouts = 0
  const gathering = new CommitGathering(scheduler, () => timeouts++)
  return { gathering, scheduler, timeouts: () => timeouts }
}

test('nobody is waited for at first', () => {
  const { gathering, scheduler } = start()
  expect(gathering.waitsAt(0)).toBe(false)
  gathering.end()
  gathering.begin(0)
  expect(gathering.waitsAt(0)).toBe(false)
  expect(scheduler.waiting).toEqual([])
})

test('most of the clients that were there are waited for', () => {
  const { gathering } = start()
  gathering.begin(50)
  expect(gathering.waitsAt(43)).toBe(true)
  expect(gathering.waitsAt(44)).toBe(false)
  gathering.end()
  expect(gathering.waitsAt(0)).toBe(false)
  gathering.begin(1)
  expect(gathering.waitsAt(0)).toBe(true)
  expect(gathering.waitsAt(1)).toBe(false)
})

test('not for long, and less and less often where it is in vain', () => {
  const { gathering, scheduler, timeouts } = start()
  let waits = 0
  for (let fsync = 0; fsync < 1000; fsync++) {
    gathering.begin(2)
    if (gathering.waitsAt(1)) {
      waits++
      expect(scheduler.waiting.map(({ ms }) => ms)).toEqual([1])
      scheduler.turn()
      expect(gathering.waitsAt(1)).toBe(false)
    }
    gathering.end()
  }
  // After 1, 2, 4 ... 64, 64 ... that are skipped.
  expect(waits).toBe(21)
  expect(timeouts()).toBe(waits)
  // Somebody came: every fsync is worth waiting again.
  for (let fsync = 0; fsync < 65; fsync++) {
    gathering.end()
    gathering.begin(2)
    if (gathering.waitsAt(1)) break
  }
  gathering.end()
  for (let fsync = 0; fsync < 5; fsync++) {
    gathering.begin(2)
    expect(gathering.waitsAt(1)).toBe(true)
    gathering.end()
  }
})

test('one timer serves many rounds, and ends none that has just begun', () => {
  const { gathering, scheduler, timeouts } = start()
  for (let round = 0; round < 10; round++) {
    gathering.end()
    gathering.begin(8)
  }
  expect(scheduler.waiting).toHaveLength(1)
  scheduler.turn()
  expect(timeouts()).toBe(0)
  expect(gathering.waitsAt(6)).toBe(true)
  scheduler.turn()
  expect(timeouts()).toBe(1)
  expect(gathering.waitsAt(6)).toBe(false)
  expect(scheduler.waiting).toEqual([])
})
