/**
 * Engine.receive: the whole path of a command, from request bytes to reply bytes (parse, look-up, arguments, table,
 * reply), in this process and without a socket. Requests are prepared beforehand, over keys drawn from a seeded random
 * source, and are received in batches of the pipeline's depth, each batch at the start of one shared read buffer as the
 * network gives them.
 */
import { Random } from '../../src/base/random.ts'
import { CommandHarness, pipelines } from './command-harness.ts'

export interface MicroBench {
  readonly name: string
  /** Prepares and returns what runs about `commands` commands and says how many it were. */
  readonly prepare: () => (commands: number) => number
}

const KEYS = 100_000
/** Prepared batches: together more keys than caches hold. */
const PREPARED_COMMANDS = 65_536
const SEED = 7

type MakeArguments = (random: Random) => readonly string[]

function randomKey(random: Random): string {
  return `key:${String(random.below(KEYS)).padStart(12, '0')}`
}

const VALUE = 'x'.repeat(64)

const COMMANDS: Readonly<Record<string, { make: MakeArguments; fill?: MakeArguments }>> = {
  SET: { make: (random) => ['SET', randomKey(random), VALUE] },
  GET: { make: (random) => ['GET', randomKey(random)], fill: (random) => ['SET', randomKey(random), VALUE] },
  'GET (missing)': { make: (random) => ['GET', randomKey(random)] },
  INCR: { make: (random) => ['INCR', randomKey(random)] },
  'MSET (10 keys)': {
    make: (random) => ['MSET', ...Array.from({ length: 10 }, () => [randomKey(random), VALUE]).flat()],
  },
  PING: { make: () => ['PING'] },
  'RPUSH and LPOP': { make: (random) => (random.below(2) === 0 ? ['RPUSH', 'list', 'xxx'] : ['LPOP', 'list']) },
  'LRANGE of 100': { make: () => ['LRANGE', 'list', '0', '99'], fill: () => ['RPUSH', 'list', 'xxx'] },
  'XADD, MAXLEN ~ 1000': { make: () => ['XADD', 'stream', 'MAXLEN', '~', '1000', '*', 'field', 'xxx'] },
  'SET with expiry': { make: (random) => ['SET', randomKey(random), VALUE, 'PX', '10000000'] },
  'DEL and SET': {
    make: (random) => (random.below(2) === 0 ? ['DEL', randomKey(random)] : ['SET', randomKey(random), VALUE]),
  },
}

function prepareBatches(make: MakeArguments, depth: number): Buffer[] {
  const random = Random.fromSeed(SEED)
  return pipelines(PREPARED_COMMANDS, depth, () => make(random))
}

export function receiveBenches(): MicroBench[] {
  const benches: MicroBench[] = []
  for (const depth of [1, 16, 64]) {
    for (const [name, { make, fill }] of Object.entries(COMMANDS)) {
      benches.push({
        name: `${name}, P=${depth}`,
        prepare: () => {
          const { receive } = new CommandHarness(SEED)
          if (fill !== undefined)
            for (let pass = 0; pass < 4; pass++) for (const batch of prepareBatches(fill, 64)) receive(batch)
          const batches = prepareBatches(make, depth)
          let next = 0
          return (commands) => {
            let done = 0
            for (; done < commands; done += depth) {
              receive(batches[next]!)
              next = next + 1 === batches.length ? 0 : next + 1
            }
            return done
          }
        },
      })
    }
  }
  return benches
}
