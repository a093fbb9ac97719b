import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { runPowerCuts } from '../support/power-cut.ts'

const CUTS = Number(process.env.O7_POWER_CUTS ?? 2000)

test('nothing acknowledged is lost when the power goes, and no state is found that never was', async () => {
  const seed = Number(process.env.O7_SEED ?? randomInt(2 ** 32))
  console.log(`power cuts: O7_SEED=${seed}`)
  const report = await runPowerCuts({ seed, cuts: CUTS })
  console.log(JSON.stringify(report))
  expect(report.cuts).toBe(CUTS)
  expect(report.rewrites).toBeGreaterThan(CUTS / 100)
}, 600_000)
