/**
 * Blocks sorted by the names that they hold: the groups of a stream, the consumers of a group.
 *
 *   index: a block of int32 refs, as many as its owner counts; 0 = none
 *   item:  word 5: length of the name; the name's bytes from the index's own offset on
 *
 * The order is that of the bytes, a name before those that it begins.
 * Cost: find O(log n); insert and remove move 4 bytes per name behind.
 * Where it differs from Redis: rax. There are few groups and seldom more than some thousand consumers, so that a sorted
 * array is smaller and faster.
 */
import { copyBytes } from '../base/copy-bytes.ts'
import type { Arena, Ref } from '../memory/arena.ts'

export const NAME_LENGTH_WORD = 5

export class NameIndex {
  private readonly arena: Arena
  private readonly nameOffset: number

  constructor(arena: Arena, nameOffset: number) {
    this.arena = arena
    this.nameOffset = nameOffset
  }

  nameLength(item: Ref): number {
    return this.arena.view32(item)[this.arena.at32(item) + NAME_LENGTH_WORD]!
  }

  /** Where a name begins in its page. */
  nameAt(item: Ref): number {
    return this.arena.at8(item) + this.nameOffset
  }

  /** A block for a name and what stands before it, which is the caller's to set. */
  createItem(bytes: Uint8Array, start: number, length: number): Ref {
    const { arena } = this
    const item = arena.allocate(this.nameOffset + length)
    arena.view32(item)[arena.at32(item) + NAME_LENGTH_WORD] = length
    copyBytes(bytes, start, arena.view8(item), this.nameAt(item), length)
    return item
  }

  item(index: Ref, position: number): Ref {
    return this.arena.view32(index)[this.arena.at32(index) + position]!
  }

  /** The position of a name, or -1 - p where p is the position it would have. */
  find(index: Ref, count: number, bytes: Uint8Array, start: number, length: number): number {
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >> 1
      const order = this.compare(this.item(index, middle), bytes, start, length)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle
    }
    return -1 - low
  }

  /** Adds an item; returns the index, perhaps another block. */
  insert(index: Ref, count: number, position: number, item: Ref): Ref {
    const { arena } = this
    const isFull = index === 0 || count << 2 === arena.capacity(index)
    const target = isFull ? arena.allocate(Math.max(4, count << 3)) : index
    const words = arena.view32(target)
    const at = arena.at32(target)
    if (isFull && index !== 0) {
      const from = arena.view32(index)
      const fromAt = arena.at32(index)
      for (let i = 0; i < position; i++) words[at + i] = from[fromAt + i]!
      for (let i = count; i > position; i--) words[at + i] = from[fromAt + i - 1]!
      arena.release(index)
    } else words.copyWithin(at + position + 1, at + position, at + count)
    words[at + position] = item
    return target
  }

  /** Removes a position of the `count` there are; returns the index, 0 if it is empty. */
  remove(index: Ref, count: number, position: number): Ref {
    const { arena } = this
    if (count === 1) {
      arena.release(index)
      return 0
    }
    const at = arena.at32(index)
    arena.view32(index).copyWithin(at + position, at + position + 1, at + count)
    return index
  }

  private compare(item: Ref, bytes: Uint8Array, start: number, length: number): number {
    const held = this.arena.view8(item)
    const at = this.nameAt(item)
    const heldLength = this.nameLength(item)
    const common = Math.min(heldLength, length)
    for (let i = 0; i < common; i++) {
      const difference = held[at + i]! - bytes[start + i]!
      if (difference !== 0) return difference
    }
    return heldLength - length
  }
}
