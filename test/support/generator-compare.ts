/** How the raw replies of two servers to one request are compared, where equal bytes would ask too much. */

/** Null when the replies are as they should be, else what is wrong with them. */
export type Comparison = (ours: Buffer, theirs: Buffer) => string | null

export const exact: Comparison = (ours, theirs) => (ours.equals(theirs) ? null : 'the replies differ')

/** Positive integers may differ by this much: what they say depends on the moment at which they were asked. */
export function integersWithin(tolerance: number): Comparison {
  return (ours, theirs) => {
    if (ours.equals(theirs)) return null
    const [one, other] = [ours, theirs].map((reply) => /^:(\d+)\r\n$/.exec(reply.toString('latin1'))?.[1])
    if (one === undefined || other === undefined) return 'the replies differ'
    const apart = BigInt(one) - BigInt(other)
    const isNear = apart <= BigInt(tolerance) && -apart <= BigInt(tolerance) && one !== '0' && other !== '0'
    return isNear ? null : `the replies differ by more than ${tolerance}`
  }
}

/** Equal but for moments and times, which may differ by this much. */
export function integersInsideWithin(tolerance: number): Comparison {
  return (ours, theirs) => {
    if (ours.equals(theirs)) return null
    const [lines, otherLines] = [ours, theirs].map((reply) => reply.toString('latin1').split('\r\n'))
    if (lines!.length !== otherLines!.length) return 'the replies differ'
    for (const [i, line] of lines!.entries()) {
      const other = otherLines![i]!
      if (line === other) continue
      if (!/^:\d+$/.test(line) || !/^:\d+$/.test(other)) return 'the replies differ'
      const apart = BigInt(line.slice(1)) - BigInt(other.slice(1))
      if (apart > BigInt(tolerance) || -apart > BigInt(tolerance)) return `integers differ by more than ${tolerance}`
    }
    return null
  }
}

/** Arrays and sets of the same elements in any order; anything else must be equal. */
export const sameElements: Comparison = (ours, theirs) => {
  if (ours.equals(theirs)) return null
  const [one, other] = [ours, theirs].map(elementsOf)
  if (one == null || other == null || ours[0] !== theirs[0]) return 'the replies differ'
  const [sorted, otherSorted] = [one, other].map((elements) => elements.map((raw) => raw.toString('latin1')).sort())
  return sorted!.join() === otherSorted!.join() ? null : 'the elements differ'
}

/** Errors must be equal, other replies of the same type: chance decides what they hold. */
export const sameType: Comparison = (ours, theirs) => {
  if (ours.equals(theirs)) return null
  const isNull = (reply: Buffer) => reply[0] === 0x5f || reply.toString('latin1', 0, 3) === '$-1'
  const alike = ours[0] === theirs[0] && ours[0] !== 0x2d && isNull(ours) === isNull(theirs)
  return alike ? null : 'the replies differ in kind'
}

/** Arrays and sets of as many elements, whichever; anything else must be equal. */
export const sameCount: Comparison = (ours, theirs) => {
  if (ours.equals(theirs)) return null
  const [one, other] = [elementsOf(ours), elementsOf(theirs)]
  return one !== null && other !== null && one.length === other.length ? null : 'the replies differ'
}

/** SCAN of a collection: whether the cursor is 0, and if so the same elements. */
export const sameScan: Comparison = (ours, theirs) => {
  if (ours.equals(theirs)) return null
  const [one, other] = [elementsOf(ours), elementsOf(theirs)]
  if (one?.length !== 2 || other?.length !== 2) return 'the replies differ'
  const isWhole = [one, other].map(([cursor]) => cursor!.toString('latin1') === '$1\r\n0\r\n')
  // A bucket here is a dozen of Redis's, so one may be done where the other is not.
  return isWhole[0] && isWhole[1] ? sameElements(one[1]!, other[1]!) : null
}

/** DUMP: equal bytes, or payloads of as many bytes where a hash table decides the order of elements. */
export const sameDump: Comparison = (ours, theirs) => {
  if (ours.equals(theirs)) return null
  const [one, other] = [unorderedDump(ours), unorderedDump(theirs)]
  return one !== null && one === other ? null : 'the payloads differ'
}

/** RDB types of sets and hashes that are hash tables. */
const UNORDERED_RDB_TYPES = [2, 4]

/** RDB type of streams, in which moments stand as eight bytes. */
const STREAM_RDB_TYPE = 19
const DAY_MS = 86_400_000

/** A stream's payload without the moments that are near now, and without its checksum. */
function timelessDump(reply: Buffer, start: number): string {
  const payload = Buffer.from(reply.subarray(start, -10))
  const now = BigInt(Date.now())
  for (let at = 0; at + 8 <= payload.length; at++) {
    const apart = payload.readBigUInt64LE(at) - now
    if (apart < BigInt(DAY_MS) && -apart < BigInt(DAY_MS)) payload.writeBigUInt64LE(0n, at)
  }
  return payload.toString('latin1')
}

/** What is sure of a payload whose elements have no order, or that has moments in it; null for others. */
export function unorderedDump(reply: Buffer): string | null {
  const header = /^\$(\d+)\r\n/.exec(reply.toString('latin1', 0, 24))
  if (header === null) return null
  const type = reply[header[0].length]!
  if (type === STREAM_RDB_TYPE) return timelessDump(reply, header[0].length)
  return UNORDERED_RDB_TYPES.includes(type) ? `a payload of type ${type}, ${header[1]} bytes` : null
}

/** The elements of an array, set or push reply, raw; null for other replies and null arrays. */
export function elementsOf(reply: Buffer): Buffer[] | null {
  const header = /^[*~>](\d+)\r\n/.exec(reply.toString('latin1', 0, 24))
  if (header === null) return null
  const elements: Buffer[] = []
  let at = header[0].length
  for (let i = 0; i < Number(header[1]); i++) {
    const end = endOfElement(reply, at)
    elements.push(reply.subarray(at, end))
    at = end
  }
  return elements
}

function endOfElement(reply: Buffer, start: number): number {
  let at = start
  for (let left = 1; left > 0; left--) {
    const lineEnd = reply.indexOf('\r\n', at)
    const type = String.fromCharCode(reply[at]!)
    const size = Number(reply.toString('latin1', at + 1, lineEnd))
    at = lineEnd + 2
    if ('$=!'.includes(type) && size >= 0) at += size + 2
    else if ('*~>'.includes(type) && size > 0) left += size
    else if (type === '%') left += size * 2
    else if (type === '|') left += size * 2 + 1
  }
  return at
}
