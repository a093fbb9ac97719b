/**
 * Streams as commands meet them, requests to replies without a socket: adding, adding to a stream that is kept short, reading
 * and acknowledging as a member of a group, and what ends long streams.
 * Run: node scripts/run-ts.mjs bench/micro/stream.ts
 */
import { CommandHarness, pipelines } from './command-harness.ts'

const DEPTH = 16
const COUNT = 400_000
const ROUNDS = 4
const SEED = 3

const harness = new CommandHarness(SEED)

/** A command in batches, `count` times. */
function repeat(count: number, args: readonly string[]): () => void {
  const batch = pipelines(DEPTH, DEPTH, () => args)[0]!
  return () => {
    for (let i = 0; i < count; i += DEPTH) harness.receive(batch)
  }
}

for (let round = 0; round < ROUNDS; round++) {
  harness.send('FLUSHALL')
  harness.timed('XADD s * myfield xxx', COUNT, repeat(COUNT, ['XADD', 's', '*', 'myfield', 'xxx']))
  harness.timed(
    'XADD t MAXLEN ~ 1000 * a 1 b 2',
    COUNT,
    repeat(COUNT, ['XADD', 't', 'MAXLEN', '~', '1000', '*', 'a', '1', 'b', '2']),
  )
  harness.timed('XRANGE s - + COUNT 10, per entry', 200_000, repeat(20_000, ['XRANGE', 's', '-', '+', 'COUNT', '10']))
  harness.send('XGROUP', 'CREATE', 's', 'g', '0')
  harness.timed(
    'XREADGROUP COUNT 10, per entry',
    COUNT,
    repeat(COUNT / 10, ['XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '10', 'STREAMS', 's', '>']),
  )
  harness.send('COPY', 's', 'copy')
  harness.timed('COPY, per entry with its pending one', COUNT, () => harness.send('COPY', 's', 'copy', 'REPLACE'))
  harness.timed('XGROUP DELCONSUMER, per pending entry', COUNT, () =>
    harness.send('XGROUP', 'DELCONSUMER', 's', 'g', 'c'),
  )
  harness.timed('XTRIM MAXLEN 0, per entry', COUNT, () => harness.send('XTRIM', 's', 'MAXLEN', '0'))
  harness.timed('DEL, per entry with its pending one', COUNT, () => {
    harness.send('DEL', 'copy')
    harness.settle()
  })
}
harness.print()
