/** What a soak must have shown. */
import type { SoakResult } from './soak.ts'

/** Heap that may come and go with compiled code and V8's own tables. */
const HEAP_GROWTH_BYTES_MAX = 2 * 1024 * 1024

/** Everything that was not as it must be. */
export function verdict({ checkpoints, crash, usedBytesEmpty, usedBytesNew }: SoakResult): string[] {
  if (crash !== null) return [`the server stopped: ${crash.stack ?? crash.message}`]
  const problems: string[] = []
  for (const { simulatedMs, usedBytes, neededBytes, leftovers } of checkpoints) {
    const at = `after ${(simulatedMs / 60_000).toFixed(1)} minutes`
    if (usedBytes !== neededBytes)
      problems.push(`${at} the arena holds ${usedBytes - neededBytes} bytes that no key needs`)
    if (leftovers.length > 0) problems.push(`${at} there are left: ${leftovers.join(', ')}`)
  }
  if (usedBytesEmpty !== usedBytesNew) {
    problems.push(`emptied, the arena holds ${usedBytesEmpty - usedBytesNew} bytes more than when it was new`)
  }
  // The first third warms up: code is compiled, buffers take their size.
  const heaps = checkpoints.slice(Math.floor(checkpoints.length / 3)).map(({ heapBytes }) => heapBytes)
  const half = Math.floor(heaps.length / 2)
  const growth = Math.min(...heaps.slice(half)) - Math.max(...heaps.slice(0, half))
  if (growth > HEAP_GROWTH_BYTES_MAX) problems.push(`the heap has grown by ${growth} bytes`)
  return problems
}
