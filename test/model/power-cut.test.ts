import { expect, test } from 'vitest'
import { runPowerCuts } from '../support/power-cut.ts'
import { SEED } from '../support/seed.ts'

const CUTS = Number(process.env.O7_POWER_CUTS ?? 2000)

test('nothing acknowledged is lost when the power goes, and no state is found that never was', async () => {
  const report = await runPowerCuts({ seed: SEED, cuts: CUTS })
  console.log(JSON.stringify(report))
  expect(report.cuts).toBe(CUTS)
  expect(report.rewrites).toBeGreaterThan(CUTS / 100)
}, 600_000)
