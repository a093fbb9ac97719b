/**
 * How many nodes Redis's radix tree would have for the nodes of a stream: XINFO STREAM tells, and lazy freeing reckons
 * with it.
 *
 *   one for each key's end, one for each place where keys part, one for each run of bytes in between and before
 *
 * Cost: O(keys), one look at each.
 */
import type { Ref } from '../../memory/arena.ts'
import { IdCursor, type IdTree } from '../../structures/id-tree.ts'
import { ID_BYTES, StreamId } from '../../structures/stream-id.ts'

export function radixNodeCount(tree: IdTree, root: Ref): number {
  const cursor = new IdCursor()
  if (!tree.seekFirst(root, cursor)) return 1
  const id = new StreamId()
  const before = new Uint8Array(ID_BYTES)
  const key = new Uint8Array(ID_BYTES)
  /** Lengths of the prefixes at which keys that are still going on have parted. */
  const parted: number[] = []
  tree.readId(cursor, id)
  id.writeBytes(before, 0)
  let nodes = 1
  /** A run of bytes is a node unless it is empty. */
  const run = (from: number, to: number): number => (to > from ? 1 : 0)
  while (tree.next(cursor)) {
    tree.readId(cursor, id)
    id.writeBytes(key, 0)
    let common = 0
    while (key[common] === before[common]) common++
    nodes++
    let below = ID_BYTES
    while (parted.length > 0 && parted[parted.length - 1]! > common) {
      const place = parted.pop()!
      nodes += run(place + 1, below)
      below = place
    }
    if (parted.length === 0 || parted[parted.length - 1] !== common) {
      parted.push(common)
      nodes++
    }
    nodes += run(common + 1, below)
    before.set(key)
  }
  let below = ID_BYTES
  while (parted.length > 0) {
    const place = parted.pop()!
    nodes += run(place + 1, below)
    below = place
  }
  return nodes + run(0, below)
}
