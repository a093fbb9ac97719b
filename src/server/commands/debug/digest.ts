/** DEBUG DIGEST and DIGEST-VALUE: equal data have equal digests, here and in Redis. */
import { datasetDigest, valueDigest } from '../../../keyspace/digest.ts'
import { NO_KEY } from '../../../keyspace/entry.ts'
import type { DebugSubcommand } from './arguments.ts'

const NOTHING = '0'.repeat(40)

export const digest: DebugSubcommand = {
  name: 'DIGEST',
  countMin: 2,
  countMax: 2,
  help: ['DIGEST', '    Output a hex signature representing the current DB content.'],
  run(_server, { engine }, _argv, reply) {
    reply.status(datasetDigest(engine.keyspace))
  },
}

export const digestValue: DebugSubcommand = {
  name: 'DIGEST-VALUE',
  countMin: 2,
  countMax: Number.POSITIVE_INFINITY,
  help: ['DIGEST-VALUE <key> [<key> ...]', '    Output a hex signature of the values of all the specified keys.'],
  run(_server, { db }, argv, reply) {
    reply.array(argv.count - 2)
    for (let i = 2; i < argv.count; i++) {
      const entry = db.peekOverdue(argv.bytes, argv.starts[i]!, argv.lengthBytes(i))
      reply.status(entry === NO_KEY ? NOTHING : valueDigest(db, entry))
    }
  },
}
