/**
 * A raw reply as a tree that keeps the RESP types, for comparisons that must overlook a part: scalars are strings with
 * their type byte ("$text", ":3"), aggregates have the type byte and their elements (of maps, names and values in turn).
 */
export type ReplyNode = string | { readonly type: string; readonly items: readonly ReplyNode[] }

export function readReplyTree(raw: Uint8Array): ReplyNode {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length)
  let at = 0
  const readLine = () => {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) throw new Error('the reply ends within a line')
    const line = bytes.toString('latin1', at, end)
    at = end + 2
    return line
  }
  const readNode = (): ReplyNode => {
    const line = readLine()
    const type = line[0]!
    const size = Number(line.slice(1))
    if ('$=!'.includes(type) && size >= 0) {
      const value = bytes.toString('latin1', at, at + size)
      at += size + 2
      return type + value
    }
    if ('*~>%|'.includes(type) && size >= 0) {
      const count = type === '%' || type === '|' ? size * 2 : size
      return { type, items: Array.from({ length: count }, readNode) }
    }
    return line
  }
  const tree = readNode()
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes after the reply`)
  return tree
}
