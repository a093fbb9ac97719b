/**
 * The public typings, as a program that uses all of them. It is never run: `npm run typecheck` checks it against the
 * sources, test/package/package.test.ts against the packed declarations. `@ts-expect-error` marks what must not compile.
 */
import {
  type Argument,
  type Argv,
  type Clock,
  type Command,
  type CommandDefinition,
  ConfigOptionError,
  createServer,
  type Db,
  defineCommand,
  type EmbeddedServer,
  ERR_WRONGTYPE,
  FAST,
  firstKey,
  KEY_RO,
  KEY_RW,
  keyAt,
  keyRange,
  type LocalClient,
  ManualClock,
  NO_KEY,
  READONLY,
  ReplyError,
  type ReplyValue,
  type ReplyWriter,
  ServerError,
  type ServerErrorCode,
  type ServerOptions,
  type Session,
  WRITE,
  WRONG_TYPE,
} from 'o7-is'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function holds<_ extends true>(): void {}

export async function embedding(): Promise<void> {
  const server = await createServer()
  holds<Equal<typeof server, EmbeddedServer>>()
  const port: number = server.port
  const url: string = server.url
  const reply = await server.execute('SET', 'key', 1, 2n, new Uint8Array(3))
  holds<Equal<typeof reply, ReplyValue>>()
  const count = await server.execute<number>('INCR', 'n')
  holds<Equal<typeof count, number>>()
  const fields = await server.execute<ReadonlyMap<string, string>>('CONFIG', 'GET', '*')
  holds<Equal<ReturnType<typeof fields.get>, string | undefined>>()
  // @ts-expect-error null is no argument
  await server.execute('SET', 'key', null)
  // @ts-expect-error a reply is never a symbol
  await server.execute<symbol>('GET', 'key')
  // @ts-expect-error the port is the server's
  server.port = 1

  const client: LocalClient = server.connect({
    buffers: true,
    onPush(message) {
      holds<Equal<typeof message, ReplyValue>>()
    },
  })
  const args: readonly Argument[] = ['MGET', 'a', 'b']
  await client.execute(...args)
  client.close()

  server.clock.advance(1000)
  const now: number = server.clock.nowMs
  await server.close()
  await server[Symbol.asyncDispose]()
  void [port, url, now]
}

export async function options(): Promise<void> {
  const clock: Clock = new ManualClock(0)
  const all: ServerOptions = {
    port: 0,
    bind: ['127.0.0.1', '-::1'],
    maxmemory: '100mb',
    save: [
      [900, 1],
      [300, 10],
    ],
    notifyKeyspaceEvents: 'KEA',
    latencyTracking: false,
    maxmemoryPolicy: 'noeviction',
    clock,
    seed: 7,
    listen: true,
    commands: [],
    onLog(line) {
      holds<Equal<typeof line, string>>()
    },
    onCrash(error) {
      holds<Equal<typeof error, ServerError>>()
    },
  }
  await createServer(all)
  await createServer({ requirepass: undefined, clock: undefined })
  // @ts-expect-error no such parameter
  await createServer({ prot: 6379 })
  // @ts-expect-error a parameter's values are its own
  await createServer({ maxmemoryPolicy: 'whatever' })
  // @ts-expect-error a switch is no number
  await createServer({ latencyTracking: 1 })
}

export function errors(error: unknown): string {
  if (error instanceof ReplyError) return error.code
  if (error instanceof ConfigOptionError) return `${error.code} ${error.option}`
  if (error instanceof ServerError) {
    holds<Equal<typeof error.code, ServerErrorCode>>()
    return error.code
  }
  return ''
}

const read: CommandDefinition = {
  name: 'SHOP.READ',
  arity: 2,
  flags: READONLY | FAST,
  keys: [firstKey(KEY_RO)],
  doc: { group: 'shop', since: '1.0.0', summary: 'Reads.' },
  run(ctx, argv, reply) {
    holds<Equal<typeof ctx, Session>>()
    holds<Equal<typeof argv, Argv>>()
    holds<Equal<typeof reply, ReplyWriter>>()
    const db: Db = ctx.db
    const entry = db.readString(argv, 1)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) return reply.null()
    reply.bulkBytes(db.valueView(entry))
  },
}

export const commands: Command[] = [
  defineCommand(read),
  defineCommand({
    name: 'SHOP',
    arity: -2,
    flags: 0,
    doc: { group: 'shop', since: '1.0.0', complexity: 'O(1)', summary: 'A container.' },
    subcommands: [{ ...read, name: 'ONE' }],
  }),
  defineCommand({
    name: 'SHOP.WRITE',
    arity: -4,
    flags: WRITE,
    acl: ['shop'],
    keys: [keyAt(1, KEY_RW), keyRange(2, -1, 1, KEY_RO)],
    doc: { group: 'shop', since: '1.0.0', summary: 'Writes.' },
    run(_ctx, _argv, reply) {
      reply.ok()
    },
  }),
]

// @ts-expect-error the arity is missing
defineCommand({ name: 'SHOP.NONE', flags: 0, doc: { group: 'shop', since: '1.0.0', summary: '' }, run() {} })
