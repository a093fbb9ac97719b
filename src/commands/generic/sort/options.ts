/** The arguments of SORT and SORT_RO behind the key, read as Redis reads them: in any order, the last one counts. */
import type { Argv } from '../../../base/argv.ts'
import { endOfCString } from '../../../base/int64-text.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../../../resp/errors.ts'
import type { ReplyWriter } from '../../../resp/reply-writer.ts'
import { readInt64 } from '../../connection/read-integer.ts'

const ASTERISK = 42

export interface SortOptions {
  isDescending: boolean
  isAlpha: boolean
  /** LIMIT; a count below 0 stands for all. */
  offset: number
  count: number
  /** Indices of arguments; 0 = not given. */
  byIndex: number
  storeIndex: number
  readonly getIndices: number[]
  /** BY names no pattern: the elements stay as they are. A later BY does not take that back. */
  keepsOrder: boolean
}

/** Returns null on an error, which has been replied. */
export function readSortOptions(argv: Argv, mayStore: boolean, reply: ReplyWriter): SortOptions | null {
  const options: SortOptions = {
    isDescending: false,
    isAlpha: false,
    offset: 0,
    count: -1,
    byIndex: 0,
    storeIndex: 0,
    getIndices: [],
    keepsOrder: false,
  }
  for (let i = 2; i < argv.count; i++) {
    const left = argv.count - i - 1
    if (argv.is(i, 'ASC')) options.isDescending = false
    else if (argv.is(i, 'DESC')) options.isDescending = true
    else if (argv.is(i, 'ALPHA')) options.isAlpha = true
    else if (argv.is(i, 'LIMIT') && left >= 2) {
      const offset = readInt64(argv, ++i, reply, ERR_NOT_INTEGER)
      if (offset === null) return null
      const count = readInt64(argv, ++i, reply, ERR_NOT_INTEGER)
      if (count === null) return null
      options.offset = Number(offset)
      options.count = Number(count)
    } else if (mayStore && argv.is(i, 'STORE') && left >= 1) options.storeIndex = ++i
    else if (argv.is(i, 'BY') && left >= 1) {
      options.byIndex = ++i
      if (!hasAsterisk(argv, i)) options.keepsOrder = true
    } else if (argv.is(i, 'GET') && left >= 1) options.getIndices.push(++i)
    else {
      reply.error(ERR_SYNTAX)
      return null
    }
  }
  return options
}

function hasAsterisk(argv: Argv, index: number): boolean {
  const start = argv.starts[index]!
  const end = endOfCString(argv.bytes, start, start + argv.lengths[index]!)
  return argv.bytes.subarray(start, end).includes(ASTERISK)
}
