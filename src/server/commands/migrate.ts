/**
 * MIGRATE host port key|"" destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password]
 *   [KEYS key ...]: moves keys to another server. Reply: OK, or NOKEY if there is none of them.
 * The client waits for the target (see ../migration.ts); within MULTI and scripts, where nothing can wait, it is refused.
 * Propagated as DEL of the keys that were moved.
 * Source: Redis command reference, MIGRATE (since 2.6.0); cluster.c.
 */
import type { Argv } from '../../base/argv.ts'
import { assert } from '../../base/assert.ts'
import {
  type Command,
  defineCommand,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_INCOMPLETE,
  KEY_RW,
  keyAt,
} from '../../engine/command.ts'
import { WRITE } from '../../engine/flags.ts'
import { keysOfMigrate } from '../../engine/key-functions.ts'
import { BLOCKED, DENY_BLOCKING, type Session } from '../../engine/session.ts'
import { NO_KEY } from '../../keyspace/entry.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, type ErrorReply, errorReply } from '../../resp/errors.ts'
import type { Migration, MigrationRequest } from '../migration.ts'

const ERR_KEYS_AND_KEY = errorReply(
  'ERR When using MIGRATE KEYS option, the key argument must be set to the empty string',
)
const ERR_CANNOT_WAIT = errorReply(
  'ERR MIGRATE is not possible within a transaction or script: it has to wait for the target instance',
)
const INT64_MAX = 2n ** 63n - 1n
const TIMEOUT_DEFAULT_MS = 1000
const KEY_FLAGS = KEY_RW | KEY_ACCESS | KEY_DELETE

/** What the command needs of the server; null to be described only. */
type Host = { readonly migration: Migration } | null

export function migrateCommands(host: Host): readonly Command[] {
  return [
    defineCommand({
      name: 'MIGRATE',
      arity: -6,
      flags: WRITE,
      acl: ['keyspace', 'dangerous'],
      keys: [
        keyAt(3, KEY_FLAGS),
        {
          flags: KEY_FLAGS | KEY_INCOMPLETE,
          begin: { kind: 'keyword', keyword: 'KEYS', startFrom: -2 },
          find: { kind: 'range', lastKey: -1, step: 1, limit: 0 },
        },
      ],
      getKeys: keysOfMigrate,
      doc: {
        group: 'generic',
        since: '2.6.0',
        complexity:
          "That of DUMP and DEL here and of RESTORE at the target for each key (see there), and O(N) for the transfer, where N is the data's size.",
        summary: 'Moves keys to another server.',
      },
      run(ctx, argv, reply) {
        const request = readRequest(ctx, argv)
        if ('code' in request) return reply.error(request)
        if (request.keys.length === 0) return reply.status('NOKEY')
        const { engine } = ctx
        if (engine.isNested || ctx.has(DENY_BLOCKING)) return reply.error(ERR_CANNOT_WAIT)
        assert(host !== null, 'a command that needs a server was run without one')
        migrate(host.migration, ctx, request)
      },
    }),
  ]
}

/** The client's further requests wait until this one is answered. */
function migrate(migration: Migration, ctx: Session, request: MigrationRequest): void {
  const { engine } = ctx
  const entry = ctx.lastCommand!
  // Nothing that CLIENT UNBLOCK could end: the outcome is open.
  ctx.setFlag(BLOCKED)
  migration.run(ctx, request).then(
    ({ status, error }) => {
      if (engine.isStopped) return
      if (error !== undefined) entry.failedCalls++
      engine.blocking.answer(ctx, (reply) => (error === undefined ? reply.status(status) : reply.errorText(error)))
    },
    (error: unknown) => engine.fail(error, ctx),
  )
}

/** What is asked for, with those of the keys that are there; or what is wrong with it. */
function readRequest(ctx: Session, argv: Argv): MigrationRequest | ErrorReply {
  let copies = false
  let replaces = false
  let password: Uint8Array | null = null
  let username: Uint8Array | null = null
  let firstKey = 3
  let keysEnd = 4
  for (let i = 6; i < argv.count; i++) {
    const further = argv.count - 1 - i
    if (argv.is(i, 'COPY')) copies = true
    else if (argv.is(i, 'REPLACE')) replaces = true
    else if (argv.is(i, 'AUTH')) {
      if (further < 1) return ERR_SYNTAX
      ctx.redact(++i)
      password = argv.copyOf(i)
    } else if (argv.is(i, 'AUTH2')) {
      if (further < 2) return ERR_SYNTAX
      ctx.redact(++i)
      username = argv.copyOf(i)
      ctx.redact(++i)
      password = argv.copyOf(i)
    } else if (argv.is(i, 'KEYS')) {
      if (argv.lengthBytes(3) !== 0) return ERR_KEYS_AND_KEY
      firstKey = i + 1
      keysEnd = argv.count
      break
    } else return ERR_SYNTAX
  }
  const timeout = argv.int64(5)
  const destinationDb = argv.int64(4)
  if (timeout === null || destinationDb === null) return ERR_NOT_INTEGER
  const keys: Uint8Array[] = []
  for (let i = firstKey; i < keysEnd; i++) if (ctx.db.read(argv, i) !== NO_KEY) keys.push(argv.copyOf(i))
  return {
    host: argv.utf8(1),
    port: portOf(argv.latin1(2)),
    target: `${argv.latin1(1)}:${argv.latin1(2)}`,
    db: ctx.db,
    keys,
    destinationDb,
    timeoutMs: timeout <= 0n ? TIMEOUT_DEFAULT_MS : Number(timeout),
    copies,
    replaces,
    password,
    username,
  }
}

/** As C reads a port: the digits at the beginning, as a 32-bit integer of which sixteen bits count; negative = none. */
function portOf(text: string): number {
  const digits = BigInt(/^\s*(-?|\+)(\d+)/.exec(text)?.slice(1).join('').replace('+', '') ?? 0)
  const port = Number(BigInt.asIntN(32, digits > INT64_MAX ? INT64_MAX : digits))
  return port < 0 ? -1 : port & 0xffff
}
