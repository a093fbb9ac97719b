/** npm run soak [-- MINUTES [SEED]]: an hour of simulated time by default. Exits 1 when memory was not flat. */
import { runSoak } from './soak.ts'
import { verdict } from './verdict.ts'

const minutes = Number(process.argv[2] ?? 60)
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000)
console.log(`soak: ${minutes} minutes of simulated time, seed ${seed}`)
const startedMs = Date.now()
const result = await runSoak({
  seed,
  simulatedMs: minutes * 60_000,
  requestsPerSecond: 300,
  checkpoints: 12,
  log: (line) => console.log(line),
})
const last = result.checkpoints[result.checkpoints.length - 1]
const seconds = ((Date.now() - startedMs) / 1000).toFixed(0)
console.log(
  `${last?.requests ?? 0} requests, ${result.clients} clients, ${result.expired} keys expired, ${result.saves} snapshots in ${seconds} s`,
)
const problems = verdict(result)
for (const problem of problems) console.error(`FAILED: ${problem}`)
if (problems.length === 0) console.log('Memory is flat, nothing is left over.')
process.exitCode = problems.length === 0 ? 0 : 1
