/**
 * REPLICAOF, SLAVEOF, REPLCONF, PSYNC, SYNC, ROLE, FAILOVER: what clients, replicas and masters say about replication.
 * Source: Redis command reference; behaviour and texts as in Redis 7.0, replication.c.
 */
import type { Argv } from '../base/argv.ts'
import { parseInt64 } from '../base/int64-text.ts'
import { splitArgs } from '../base/quoting.ts'
import { clientInfo } from '../engine/client-info.ts'
import { type Command, defineCommand } from '../engine/command.ts'
import {
  ADMIN,
  ALLOW_BUSY,
  FAST,
  LOADING,
  NO_ASYNC_LOADING,
  NO_MULTI,
  NOSCRIPT,
  SENTINEL,
  STALE,
} from '../engine/flags.ts'
import { MONITOR, REPLICA, type Session } from '../engine/session.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../resp/errors.ts'
import type { ReplyWriter } from '../resp/reply-writer.ts'
import type { Replication } from './replication.ts'

const PORT_MAX = 65_535n
const HOST_BYTES_MAX = 256

/** `replication` gives that of the server, once it is there. */
export function replicationCommands(replication: () => Replication): readonly Command[] {
  const replicaof = (name: string, since: string) =>
    defineCommand({
      name,
      arity: 3,
      flags: NO_ASYNC_LOADING | ADMIN | NOSCRIPT | STALE,
      doc: {
        group: 'server',
        since,
        complexity: 'O(1)',
        summary: 'Makes the server follow a master, or be one.',
      },
      run: (ctx, argv, reply) => runReplicaof(replication(), ctx, argv, reply),
    })
  return [
    replicaof('REPLICAOF', '5.0.0'),
    replicaof('SLAVEOF', '1.0.0'),
    defineCommand({
      name: 'REPLCONF',
      arity: -1,
      flags: ADMIN | NOSCRIPT | LOADING | STALE | ALLOW_BUSY,
      doc: {
        group: 'server',
        since: '3.0.0',
        complexity: 'O(1)',
        summary: 'Tells, between replicas and masters, what they are able to do and how far they are.',
      },
      run: (ctx, argv, reply) => runReplconf(replication(), ctx, argv, reply),
    }),
    defineCommand({
      name: 'PSYNC',
      arity: -3,
      flags: NO_ASYNC_LOADING | ADMIN | NO_MULTI | NOSCRIPT,
      doc: { group: 'server', since: '2.8.0', summary: 'Asks a master for its data, or for what is new in them.' },
      run: (ctx, argv, reply) => runSync(replication(), ctx, argv, reply, true),
    }),
    defineCommand({
      name: 'SYNC',
      arity: 1,
      flags: NO_ASYNC_LOADING | ADMIN | NO_MULTI | NOSCRIPT,
      doc: { group: 'server', since: '1.0.0', summary: 'Asks a master for its data.' },
      run: (ctx, argv, reply) => runSync(replication(), ctx, argv, reply, false),
    }),
    defineCommand({
      name: 'ROLE',
      arity: 1,
      flags: NOSCRIPT | LOADING | STALE | FAST | SENTINEL,
      acl: ['admin', 'dangerous'],
      doc: {
        group: 'server',
        since: '2.8.12',
        complexity: 'O(1)',
        summary: 'Tells which part the server has in replication.',
      },
      run: (_ctx, _argv, reply) => replyRole(replication(), reply),
    }),
    defineCommand({
      name: 'FAILOVER',
      arity: -1,
      flags: ADMIN | NOSCRIPT | STALE,
      doc: {
        group: 'server',
        since: '6.2.0',
        complexity: 'O(1)',
        summary: 'Hands the part of the master to one of its replicas.',
      },
      run: (_ctx, argv, reply) => runFailover(replication(), argv, reply),
    }),
  ]
}

function runReplicaof(replication: Replication, ctx: Session, argv: Argv, reply: ReplyWriter): void {
  const { engine, failover } = replication
  if (failover.isUnderWay) return reply.errorText('ERR REPLICAOF not allowed while failing over.')
  if (argv.is(1, 'NO') && argv.is(2, 'ONE')) {
    if (replication.isReplica) {
      replication.becomeMaster()
      engine.log('notice', `MASTER MODE enabled (user request from '${clientInfo(ctx, argv)}')`)
    }
    return reply.ok()
  }
  if (ctx.has(REPLICA)) return reply.errorText('ERR Command is not valid when client is a replica.')
  const port = int64(argv, 2)
  if (port === null || port < 0n || port > PORT_MAX) return reply.errorText('ERR Invalid master port')
  const host = argv.utf8(1)
  const { masterAddress } = replication
  if (masterAddress?.host.toLowerCase() === host.toLowerCase() && masterAddress.port === Number(port)) {
    engine.log(
      'notice',
      'REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.',
    )
    return reply.status('OK Already connected to specified master')
  }
  replication.follow({ host, port: Number(port) })
  engine.log('notice', `REPLICAOF ${host}:${port} enabled (user request from '${clientInfo(ctx, argv)}')`)
  reply.ok()
}

function runReplconf(replication: Replication, ctx: Session, argv: Argv, reply: ReplyWriter): void {
  if (argv.count % 2 === 0) return reply.error(ERR_SYNTAX)
  const { replicas, link } = replication
  for (let i = 1; i < argv.count; i += 2) {
    if (argv.is(i, 'ACK')) {
      // Never answered, like all that follows from the stream itself.
      const offset = int64(argv, i + 1)
      const replica = replicas.known(ctx)
      if (replica !== undefined && ctx.has(REPLICA) && offset !== null) replicas.acknowledge(replica, Number(offset))
      return
    }
    if (argv.is(i, 'GETACK')) {
      link.sendAck()
      return
    }
    const replica = replicas.about(ctx)
    if (argv.is(i, 'LISTENING-PORT')) {
      const port = int64(argv, i + 1)
      if (port === null) return reply.error(ERR_NOT_INTEGER)
      replica.listeningPort = Number(BigInt.asIntN(32, port))
    } else if (argv.is(i, 'IP-ADDRESS')) {
      const length = argv.lengthBytes(i + 1)
      if (length >= HOST_BYTES_MAX) {
        return reply.errorText(`ERR REPLCONF ip-address provided by replica instance is too long: ${length} bytes`)
      }
      replica.announcedAddress = argv.latin1(i + 1)
    } else if (argv.is(i, 'CAPA')) {
      if (argv.is(i + 1, 'EOF')) replica.takesEof = true
      else if (argv.is(i + 1, 'PSYNC2')) replica.knowsPsync2 = true
    } else if (argv.is(i, 'RDB-ONLY')) {
      const value = int64(argv, i + 1)
      if (value === null) return reply.error(ERR_NOT_INTEGER)
      if (value < 0n || value > 1n) {
        return reply.errorText('ERR value is out of range, value must between 0 and 1')
      }
      replica.rdbOnly = value === 1n
    } else if (argv.is(i, 'RDB-FILTER-ONLY')) {
      const start = argv.starts[i + 1]!
      const filters = splitArgs(argv.bytes, start, start + argv.lengthBytes(i + 1))
      if (filters === null) return reply.errorText('ERR Missing rdb-filter-only values')
      replica.wantsData = false
      replica.wantsFunctions = false
      for (const filter of filters) {
        const name = Buffer.from(filter).toString('latin1')
        if (name.toLowerCase() !== 'functions') {
          return reply.errorText(`ERR Unsupported rdb-filter-only option: ${name}`)
        }
        replica.wantsFunctions = true
      }
    } else return reply.errorText(`ERR Unrecognized REPLCONF option: ${argv.latin1(i)}`)
  }
  reply.ok()
}

function runSync(replication: Replication, ctx: Session, argv: Argv, reply: ReplyWriter, isPsync: boolean): void {
  if (ctx.has(REPLICA | MONITOR)) return
  const { engine, failover, history, link, replicas } = replication
  if (isPsync && argv.count > 3 && argv.is(3, 'FAILOVER')) {
    const id = argv.latin1(1)
    engine.log('warning', `Failover request received for replid ${id}.`)
    if (!replication.isReplica) return reply.errorText("ERR PSYNC FAILOVER can't be sent to a master.")
    if (id.toLowerCase() !== history.id) return reply.errorText('ERR PSYNC FAILOVER replid must match my replid.')
    replication.becomeMaster()
    engine.log('notice', `MASTER MODE enabled (failover request from '${clientInfo(ctx, argv)}')`)
  }
  if (failover.isUnderWay) return reply.errorText("NOMASTERLINK Can't SYNC while failing over")
  if (replication.isReplica && link.state !== 'connected') {
    return reply.errorText("NOMASTERLINK Can't SYNC while not connected with my master")
  }
  if (engine.unsentBytes(ctx) > 0) return reply.errorText('ERR SYNC and PSYNC are invalid with pending output')
  const replica = replicas.about(ctx)
  if (!(replica.wantsData && replica.wantsFunctions) && !replica.takesEof) {
    return reply.errorText('ERR Filtered replica requires EOF capability')
  }
  engine.log('notice', `Replica ${replica.name} asks for synchronization`)
  let offset: bigint | null = null
  if (isPsync) {
    offset = int64(argv, 2)
    if (offset === null) {
      reply.error(ERR_NOT_INTEGER)
      engine.log('warning', `Replica ${replica.name} asks for synchronization but with a wrong offset`)
      return
    }
  }
  replicas.sync(ctx, argv, offset)
}

function replyRole(replication: Replication, reply: ReplyWriter): void {
  const { link, masterAddress, replicas } = replication
  if (masterAddress !== null) {
    reply.array(5)
    reply.bulkText('slave')
    reply.bulkText(masterAddress.host)
    reply.integer(masterAddress.port)
    reply.bulkText(link.roleState)
    reply.integer(link.offset)
    return
  }
  const online = [...replicas.all].filter(({ state }) => state === 'online')
  reply.array(3)
  reply.bulkText('master')
  reply.integer(replication.offset)
  reply.array(online.length)
  for (const { host, listeningPort, ackOffset } of online) {
    reply.array(3)
    reply.bulkText(host)
    reply.bulkInteger(listeningPort)
    reply.bulkInteger(ackOffset)
  }
}

function runFailover(replication: Replication, argv: Argv, reply: ReplyWriter): void {
  const { failover, replicas } = replication
  if (argv.count === 2 && argv.is(1, 'ABORT')) {
    if (!failover.isUnderWay) return reply.errorText('ERR No failover in progress.')
    failover.abort('Failover manually aborted')
    return reply.ok()
  }
  let timeoutMs = 0n
  let isForced = false
  let target: { host: string; port: number } | null = null
  for (let i = 1; i < argv.count; i++) {
    if (argv.is(i, 'TIMEOUT') && i + 1 < argv.count && timeoutMs === 0n) {
      const value = int64(argv, i + 1)
      if (value === null) return reply.error(ERR_NOT_INTEGER)
      if (value <= 0n) return reply.errorText('ERR FAILOVER timeout must be greater than 0')
      timeoutMs = value
      i++
    } else if (argv.is(i, 'TO') && i + 2 < argv.count && target === null) {
      const port = int64(argv, i + 2)
      if (port === null) return reply.error(ERR_NOT_INTEGER)
      target = { host: argv.utf8(i + 1), port: Number(port) }
      i += 2
    } else if (argv.is(i, 'FORCE') && !isForced) isForced = true
    else return reply.error(ERR_SYNTAX)
  }
  if (failover.isUnderWay) return reply.errorText('ERR FAILOVER already in progress.')
  if (replication.isReplica) return reply.errorText('ERR FAILOVER is not valid when server is a replica.')
  if (replicas.count === 0) return reply.errorText('ERR FAILOVER requires connected replicas.')
  if (isForced && (timeoutMs === 0n || target === null)) {
    return reply.errorText('ERR FAILOVER with force option requires both a timeout and target HOST and IP.')
  }
  if (target !== null) {
    const replica = failover.find(target)
    if (replica === null) return reply.errorText('ERR FAILOVER target HOST and PORT is not a replica.')
    if (replica.state !== 'online') return reply.errorText('ERR FAILOVER target replica is not online.')
  }
  failover.start(target, Number(timeoutMs), isForced)
  reply.ok()
}

/** An argument as a 64-bit integer, or null. */
function int64(argv: Argv, index: number): bigint | null {
  const start = argv.starts[index]!
  return parseInt64(argv.bytes, start, start + argv.lengthBytes(index))
}
