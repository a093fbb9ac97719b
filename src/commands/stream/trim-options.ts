/**
 * The options that XADD and XTRIM share: MAXLEN or MINID, exactly or about, LIMIT; NOMKSTREAM and the id are XADD's.
 * What was trimmed about is propagated exactly, as what it came to.
 */
import type { Argv } from '../../base/argv.ts'
import { FROM_MASTER, LOADER, type Session } from '../../engine/session.ts'
import { type StreamType, TRIM_MAXLEN, TRIM_MINID, TRIM_NONE, type Trim } from '../../keyspace/types/stream.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { ID_AUTO_SEQUENCE, ID_INVALID, ID_WHOLE, ID_WITH_AUTO, StreamId } from '../../structures/stream-id.ts'
import { readIndex } from '../string/index-range.ts'
import { ERR_INVALID_ID, readId } from './ids.ts'

const ERR_BOTH = errorReply('ERR syntax error, MAXLEN and MINID options at the same time are not compatible')
const ERR_MAXLEN = errorReply('ERR The MAXLEN argument must be >= 0.')
const ERR_LIMIT = errorReply('ERR The LIMIT argument must be >= 0.')
const ERR_LIMIT_ALONE = errorReply('ERR syntax error, LIMIT cannot be used without specifying a trimming strategy')
const ERR_LIMIT_EXACT = errorReply('ERR syntax error, LIMIT cannot be used without the special ~ option')
const ERR_NO_STRATEGY = errorReply('ERR syntax error, XTRIM must be called with a trimming strategy')
/** Without LIMIT, trimming about stops after so many nodes' entries, and within these bounds. */
const NODES_MAX = 100
const LIMIT_UNKNOWN = 10_000
const LIMIT_MAX = 1_000_000

/** Where an id comes from. */
export const ID_AUTO = 0
export const ID_GIVEN = 1
export const ID_GIVEN_MS = 2

export class AddOptions implements Trim {
  strategy = TRIM_NONE
  maxLength = 0
  readonly minId = new StreamId()
  isApproximate = false
  limit = 0
  /** Which argument is the threshold. */
  thresholdIndex = 0
  onlyExisting = false
  /** XADD's id, and how much of it was said. */
  readonly id = new StreamId()
  idSource = ID_AUTO
  private hasLimit = false

  reset(): void {
    this.strategy = TRIM_NONE
    this.isApproximate = false
    this.limit = 0
    this.onlyExisting = false
    this.idSource = ID_AUTO
    this.hasLimit = false
  }

  /** Reads the options from argv[2] on. Returns the index of XADD's id, or behind XTRIM's options; -1: an error was replied. */
  read(ctx: Session, argv: Argv, isAdd: boolean, reply: ReplyWriter): number {
    this.reset()
    let i = 2
    for (; i < argv.count; i++) {
      const more = argv.count - 1 - i
      if (isAdd && argv.is(i, '*')) break
      if (more > 0 && (argv.is(i, 'MAXLEN') || argv.is(i, 'MINID'))) {
        i = this.readThreshold(argv, i, more, reply)
        if (i < 0) return -1
      } else if (more > 0 && argv.is(i, 'LIMIT')) {
        i++
        const limit = readIndex(argv, i)
        if (Number.isNaN(limit)) return refuse(reply, ERR_NOT_INTEGER)
        if (limit < 0) return refuse(reply, ERR_LIMIT)
        this.limit = limit
        this.hasLimit = true
      } else if (isAdd && argv.is(i, 'NOMKSTREAM')) this.onlyExisting = true
      else if (isAdd) {
        const found = this.id.parse(argv.bytes, argv.starts[i]!, argv.lengths[i]!, ID_WITH_AUTO, false)
        if (found === ID_INVALID) return refuse(reply, ERR_INVALID_ID)
        if (found === ID_WHOLE) this.idSource = ID_GIVEN
        else if (found === ID_AUTO_SEQUENCE) this.idSource = ID_GIVEN_MS
        break
      } else return refuse(reply, ERR_SYNTAX)
    }
    if (this.limit > 0 && this.strategy === TRIM_NONE) return refuse(reply, ERR_LIMIT_ALONE)
    if (!isAdd && this.strategy === TRIM_NONE) return refuse(reply, ERR_NO_STRATEGY)
    // What comes from a master or a file has its exact threshold.
    if (ctx.has(FROM_MASTER | LOADER)) this.limit = 0
    else if (this.hasLimit) {
      if (!this.isApproximate) return refuse(reply, ERR_LIMIT_EXACT)
    } else this.limit = this.isApproximate ? defaultLimit(ctx) : 0
    return i
  }

  /** The request with the threshold that had the same result here, where it was not exact. */
  exactRequest(streams: StreamType, root: Ref, argv: Argv): Uint8Array[] {
    const parts = Array.from({ length: argv.count }, (_, i) => argv.copyOf(i))
    if (!this.isApproximate) return parts
    let threshold: string
    if (this.strategy === TRIM_MAXLEN) threshold = String(streams.length(root))
    else {
      const first = new StreamId()
      streams.readEdgeId(root, true, false, first)
      threshold = first.toString()
    }
    parts[this.thresholdIndex - 1] = new Uint8Array(Buffer.from('='))
    parts[this.thresholdIndex] = new Uint8Array(Buffer.from(threshold))
    return parts
  }

  /** Reads MAXLEN or MINID at `at`; returns the index of the threshold, or -1. */
  private readThreshold(argv: Argv, at: number, more: number, reply: ReplyWriter): number {
    if (this.strategy !== TRIM_NONE) return refuse(reply, ERR_BOTH)
    this.isApproximate = more >= 2 && argv.is(at + 1, '~')
    const index = this.isApproximate || (more >= 2 && argv.is(at + 1, '=')) ? at + 2 : at + 1
    this.thresholdIndex = index
    if (argv.is(at, 'MINID')) {
      if (!readId(argv, index, this.minId, reply)) return -1
      this.strategy = TRIM_MINID
      return index
    }
    const length = readIndex(argv, index)
    if (Number.isNaN(length)) return refuse(reply, ERR_NOT_INTEGER)
    if (length < 0) return refuse(reply, ERR_MAXLEN)
    this.maxLength = length
    this.strategy = TRIM_MAXLEN
    return index
  }
}

function defaultLimit(ctx: Session): number {
  const limit = NODES_MAX * ctx.engine.keyspace.limits.streamNodeMaxEntries
  return limit <= 0 ? LIMIT_UNKNOWN : Math.min(limit, LIMIT_MAX)
}

function refuse(reply: ReplyWriter, error: ReturnType<typeof errorReply>): -1 {
  reply.error(error)
  return -1
}
