/**
 * SORT as a server meets it, request to reply without a socket: lists of 100,000 numbers and texts, all different and many
 * equal, and sets.
 * Run: node scripts/run-ts.mjs bench/micro/sort.ts
 */
import { CommandHarness } from './command-harness.ts'

const ITEMS = 100_000
const ROUNDS = 8
const SEED = 5

const harness = new CommandHarness(SEED)
const fill = (command: string, key: string, itemAt: (index: number) => string): void => {
  for (let i = 0; i < ITEMS; i += 100) {
    harness.send(command, key, ...Array.from({ length: 100 }, (_, j) => itemAt(i + j)))
  }
}
fill('RPUSH', 'numbers', (index) => String((index * 40_503) % 1_048_576))
fill('RPUSH', 'few', () => String(harness.random.below(1000)))
fill('RPUSH', 'decimals', () => String(harness.random.below(1_000_000) / 1000))
fill('RPUSH', 'texts', (index) => `element:${(index * 40_503) % 1_048_576}`)
fill('SADD', 'set', (index) => String((index * 40_503) % 1_048_576))
for (let round = 0; round < ROUNDS; round++) {
  harness.timedWhole(`SORT of 100,000 numbers, call ${round + 1}`, () => harness.send('SORT', 'numbers'))
}
for (let round = 0; round < ROUNDS; round++) {
  harness.timedWhole('SORT of 100,000 numbers', () => harness.send('SORT', 'numbers'))
  harness.timedWhole('SORT of 100,000 numbers, DESC LIMIT 0 10', () =>
    harness.send('SORT', 'numbers', 'DESC', 'LIMIT', '0', '10'),
  )
  harness.timedWhole('SORT of 100,000 numbers, STORE', () => harness.send('SORT', 'numbers', 'STORE', 'd'))
  harness.timedWhole('SORT of 100,000 numbers, 1,000 different ones', () => harness.send('SORT', 'few'))
  harness.timedWhole('SORT of 100,000 decimals', () => harness.send('SORT', 'decimals'))
  harness.timedWhole('SORT of 100,000 texts, ALPHA', () => harness.send('SORT', 'texts', 'ALPHA'))
  harness.timedWhole('SORT of a set of 100,000 numbers', () => harness.send('SORT', 'set'))
  harness.timedWhole('SORT of 100,000 numbers, BY nothing', () => harness.send('SORT', 'numbers', 'BY', 'nosort'))
  harness.timedWhole('SORT of 100,000 numbers, BY w_* GET #', () =>
    harness.send('SORT', 'numbers', 'BY', 'w_*', 'GET', '#'),
  )
}
harness.print()
