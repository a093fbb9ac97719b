import { expect, test } from 'vitest'
import { SystemClock } from '../../../src/base/clock.ts'
import { genericCommands } from '../../../src/commands/generic/index.ts'
import { stringCommands } from '../../../src/commands/string/index.ts'
import { ActiveDefrag } from '../../../src/server/active-defrag.ts'
import { createTestEngine } from '../../support/engine.ts'

const MIB = 1024 * 1024

function scattered() {
  const { client, engine } = createTestEngine([...genericCommands, ...stringCommands], { clock: new SystemClock() })
  const settings = {
    activedefrag: true,
    activeDefragCycleMin: 10,
    activeDefragCycleMax: 99,
    activeDefragThresholdLower: 10,
    activeDefragThresholdUpper: 100,
    activeDefragIgnoreBytes: MIB,
    activeDefragMaxScanFields: 1000,
  }
  const defrag = new ActiveDefrag(engine, () => settings)
  const value = 'v'.repeat(100)
  for (let key = 0; key < 150_000; key++) client.send('SET', `key:${key}`, value)
  for (let key = 0; key < 150_000; key++) if (key % 10 !== 0) client.send('DEL', `key:${key}`)
  const settle = async () => {
    for (let i = 0; i < 500; i++) {
      defrag.tick()
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
      if (defrag.percent === 0) return
    }
  }
  return { arena: engine.keyspace.arena, defrag, engine, settings, settle }
}

test('pages of a sparse keyspace become empty', async () => {
  const { arena, defrag, engine, settle } = scattered()
  const before = arena.occupiedBytes()
  defrag.tick()
  expect(defrag.percent).toBe(99)
  await settle()
  expect(defrag.percent).toBe(0)
  expect(arena.occupiedBytes()).toBeLessThan(before / 2)
  expect(engine.keyspace.defragmenter.keyHits).toBeGreaterThan(5000)
  expect(defrag.timesMs.total).toBeGreaterThanOrEqual(0)
  defrag.resetStatistics()
  expect([arena.relocatedBlocks, engine.keyspace.defragmenter.keyHits, defrag.timesMs.total]).toEqual([0, 0, 0])
})

test('nothing moves where it is not asked for, or not worth it', async () => {
  const { arena, defrag, settings, settle } = scattered()
  for (const change of [
    { activedefrag: false },
    { activeDefragIgnoreBytes: 100 * MIB },
    { activeDefragThresholdLower: 1000 },
  ]) {
    const kept = { ...settings }
    Object.assign(settings, change)
    await settle()
    expect([defrag.percent, arena.relocatedBlocks, arena.isCompacting]).toEqual([0, 0, false])
    Object.assign(settings, kept)
  }
})

test('switching it off ends what is under way', async () => {
  const { arena, defrag, settings, settle } = scattered()
  defrag.tick()
  expect(arena.isCompacting).toBe(true)
  settings.activedefrag = false
  await settle()
  expect([defrag.percent, arena.isCompacting]).toEqual([0, false])
})
