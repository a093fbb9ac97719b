/**
 * Cuts the power many times: node scripts/run-ts.mjs test/model/power-cut-soak.ts [CUTS [SEED]]. Figures: docs/reliability.md.
 */
import { randomInt } from 'node:crypto'
import { runPowerCuts } from '../support/power-cut.ts'

const cuts = Number(process.argv[2] ?? 100_000)
const seed = Number(process.argv[3] ?? randomInt(2 ** 32))
console.log(`power cuts: ${cuts}, seed ${seed}`)
console.log(JSON.stringify(await runPowerCuts({ seed, cuts })))
