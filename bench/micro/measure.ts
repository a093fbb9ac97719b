/**
 * Runs a function for a while, seven times over, and prints the median of the CPU time per call. CPU time, not wall time:
 * other work on the machine disturbs it less.
 */
const ROUNDS = 7
const ROUND_US = 60_000

export function measure(name: string, run: (i: number) => void, bytesPerCall = 0): void {
  let calls = 1
  let perCallUs = 0
  // Doubles the calls until a round is long enough; this also warms the code up.
  while (true) {
    const us = timeUs(run, calls)
    perCallUs = us / calls
    if (us > ROUND_US / 2) break
    calls *= 2
  }
  calls = Math.max(1, Math.round(ROUND_US / perCallUs))
  const rounds = Array.from({ length: ROUNDS }, () => timeUs(run, calls) / calls).sort((a, b) => a - b)
  const median = rounds[ROUNDS >> 1]!
  const speed = bytesPerCall === 0 ? '' : `  ${((bytesPerCall / median / 1.048576) | 0).toString().padStart(6)} MiB/s`
  const time = median < 100 ? `${(median * 1000).toFixed(1)} ns` : `${median.toFixed(1)} us`
  console.log(`${name.padEnd(44)} ${time.padStart(12)}${speed}`)
}

function timeUs(run: (i: number) => void, calls: number): number {
  const before = process.cpuUsage()
  for (let i = 0; i < calls; i++) run(i)
  const used = process.cpuUsage(before)
  return used.user + used.system
}
