/**
 * The arena: every byte of the user's data lives here, outside the JavaScript heap.
 *
 *   page (4 MiB SharedArrayBuffer) = 64 slabs of 64 KiB
 *   slab  = blocks of one size class, or part of a span
 *   span  = 1 to 64 neighbouring slabs of one page, one block
 *   huge  = a block above 4 MiB, a page of its own size
 *
 *   ref (int32): | page : 13 bits | granule in page : 19 bits |, granule = 8 bytes, 0 = nothing
 *
 * A block is addressed by its ref. `view8(ref)` and `view32(ref)` give the page's typed arrays, `at8(ref)` and
 * `at32(ref)` the index in them. No view outlives a call that can allocate: a huge block may go away with its page.
 * A ref is a signed 32-bit integer, so that V8 keeps it in a register and never boxes it; 32 GiB can be addressed.
 *
 * Pages that empty stay for reuse until `trim` drops them, a few at a time: V8 does not count the bytes of a
 * SharedArrayBuffer, so buffers that come and go would pile up until some garbage collection happens (measured: 2.6 GiB
 * of them for 256 MiB of live data), and an idle server would keep those that were dropped for ever. For each dropped
 * page a buffer that V8 does count, never touched and so without memory, is held for a while: that makes it collect
 * soon (434 MiB fall to 96; freeing a page takes 0.35 ms of a collection). Huge blocks, which do come and go, are ordinary ArrayBuffers for that reason: V8 counts those and
 * collects in time. Buffer.allocUnsafeSlow makes them, since it leaves them untouched where `new ArrayBuffer` writes
 * zeros first.
 *
 * Blocks that are left over after many others went keep their pages. `startCompaction` chooses the emptiest pages to be
 * left: nothing new is put there, and whoever owns a block finds by `relocated` that it is to move. Owners are met by a
 * walk over all data (keyspace/defragmenter.ts); pages that they have left are empty pages like any.
 *
 * Invariants: a slab is in its class's list exactly while it has a free block and is not one to be left; `usedBytes` is the sum of the class
 * sizes of the live blocks; slab 0 of page 0 is never given out (ref 0).
 * Cost: allocate and release are O(1) but for the search of a page with enough free slabs, which is one step per page.
 * Where it differs from Redis: Redis asks jemalloc; the size classes here are jemalloc's idea, the slabs mimalloc's.
 */
import { assert } from '../base/assert.ts'
import { copyBytes } from '../base/copy-bytes.ts'

declare const arenaRef: unique symbol
/** The address of a block. Structures brand it further. */
export type Ref = number & { readonly [arenaRef]?: never }

export const GRANULE_BYTES = 8
const GRANULE_SHIFT = 3
const PAGE_GRANULES_SHIFT = 19
/** Of an ordinary page. */
export const PAGE_BYTES = 1 << (PAGE_GRANULES_SHIFT + GRANULE_SHIFT)
const PAGE_GRANULES_MASK = (1 << PAGE_GRANULES_SHIFT) - 1
const PAGES_MAX = 1 << (32 - PAGE_GRANULES_SHIFT)
export const SLAB_BYTES = 65_536
const SLAB_GRANULES_SHIFT = 13
const SLABS_PER_PAGE_SHIFT = 6
const SLABS_PER_PAGE = 1 << SLABS_PER_PAGE_SHIFT
const SPAN_SLABS_MAX = SLABS_PER_PAGE
/** The largest block that shares a page with others. */
export const SPAN_BYTES_MAX = SPAN_SLABS_MAX * SLAB_BYTES
/** One block can be no larger: an int32 index has to reach each of its bytes. */
export const BLOCK_BYTES_MAX = 0x7fff_0000

/** Size classes: every 8 bytes up to 128, eight to each doubling up to 512, where small collections are, then four; then halves and thirds of a slab. */
const CLASS_BYTES: readonly number[] = makeClasses()
const CLASS_SPAN = 254
const CLASS_HUGE = 255
const CLASS_NONE = 253
const SMALL_BYTES_MAX = CLASS_BYTES[CLASS_BYTES.length - 1]!
const CLASS_BY_GRANULES = makeClassIndex()
const CLASS_SIZES = Int32Array.from(CLASS_BYTES)
const CLASS_CAPACITY = Int32Array.from(CLASS_BYTES, (bytes) => Math.floor(SLAB_BYTES / bytes))
const NO_SLAB = -1
/** Empty pages that `trim` leaves: this many, and one for so many in use. */
const SPARE_PAGES_MIN = 4
const SPARE_SHARE = 8
/** How many `trim` drops in one call: this many, or a share of what there is too much. */
const TRIM_PAGES = 8
const TRIM_SHARE = 16
/** Pages fuller than this are not left, and all that are left hold no more than this share of what is held: what moves needs room. */
const LEAVE_BYTES_MAX = 0.9 * PAGE_BYTES
const LEAVE_SHARE = 8
/** How finely slabs are told apart by their use: the fullest are filled first. */
const FULLNESS_STEPS = 4
const EMPTY8 = new Uint8Array(0)
const EMPTY32 = new Int32Array(0)
const EMPTY_DATA = new DataView(new ArrayBuffer(0))

function makeClasses(): number[] {
  const sizes: number[] = []
  for (let bytes = 8; bytes <= 128; bytes += 8) sizes.push(bytes)
  for (let base = 128; base < 16_384; base *= 2) {
    const steps = base < 512 ? 8 : 4
    for (let step = 1; step <= steps; step++) sizes.push(base + (base / steps) * step)
  }
  sizes.push(21_840, 32_768)
  return sizes
}

function makeClassIndex(): Uint8Array {
  const index = new Uint8Array((CLASS_BYTES[CLASS_BYTES.length - 1]! >> GRANULE_SHIFT) + 1)
  let sizeClass = 0
  for (let granules = 0; granules < index.length; granules++) {
    while (CLASS_BYTES[sizeClass]! < granules << GRANULE_SHIFT) sizeClass++
    index[granules] = sizeClass
  }
  return index
}

/** No more pages: 8,192 of them, or the system refuses memory. Reported to clients as an OOM error. */
export class ArenaFullError extends Error {
  override readonly name = 'ArenaFullError'
}

export interface ClassUsage {
  /** 0 for the last two: spans of slabs, and huge blocks in pages of their own. */
  readonly blockBytes: number
  readonly slabs: number
  readonly blocks: number
}

export class Arena {
  /** Hot: pages as bytes and as words, by page number. */
  readonly bytes: Uint8Array[] = []
  readonly words: Int32Array[] = []
  /** The same pages for whoever copies several bytes at once (base/word-copy.ts). */
  readonly data: DataView[] = []
  /** Sum of the sizes of all live blocks, rounded up to their classes. */
  usedBytes = 0
  /** Bytes of all pages held, used or not. */
  heldBytes = 0
  heldBytesPeak = 0

  private slabClass = new Uint8Array(0)
  private slabUsed = new Int32Array(0)
  /** Blocks handed out for the first time: those behind it were never touched, so they cost no resident memory. */
  private slabFresh = new Int32Array(0)
  private slabFree = new Int32Array(0)
  private slabNext = new Int32Array(0)
  private slabPrevious = new Int32Array(0)
  /** Free slabs of a page as 64 bits in two words. */
  private pageFreeLow = new Int32Array(0)
  private pageFreeHigh = new Int32Array(0)
  private pageFreeCount = new Int32Array(0)
  /** 1: to be left. Slabs with blocks and whole pages. */
  private slabLeaves = new Uint8Array(0)
  private pageLeaves = new Uint8Array(0)
  /** Pages are chosen to be left. */
  isCompacting = false
  /** Blocks that were to move and did, and those that were asked for and stay. */
  relocatedBlocks = 0
  stayedBlocks = 0
  /** What those took, and how many pages they have left empty. */
  relocatedBytes = 0
  leftPages = 0
  /** Page numbers without a page. */
  private readonly freeNumbers: number[] = []
  /** Pages without a block. */
  private spares = 0
  /** The fewest of them since the last `trim`. */
  private sparesLow = 0
  private readonly ballast: Uint8Array[] = []
  private readonly partialSlab = new Int32Array(CLASS_BYTES.length).fill(NO_SLAB)
  private searchFromPage = 0
  private readonly pagesMax: number

  constructor(pagesMax = PAGES_MAX) {
    this.pagesMax = pagesMax
  }

  /** A new block of at least `sizeBytes`, its content undefined. Throws ArenaFullError. */
  allocate(sizeBytes: number): Ref {
    if (sizeBytes > SMALL_BYTES_MAX) return this.allocateLarge(sizeBytes)
    const sizeClass = CLASS_BY_GRANULES[(sizeBytes + 7) >> GRANULE_SHIFT]!
    let slab = this.partialSlab[sizeClass]!
    if (slab === NO_SLAB) slab = this.openSlab(sizeClass)
    let ref = this.slabFree[slab]!
    if (ref !== 0) {
      this.slabFree[slab] = this.words[ref >>> PAGE_GRANULES_SHIFT]![(ref & PAGE_GRANULES_MASK) << 1]!
    } else {
      const fresh = this.slabFresh[slab]!
      this.slabFresh[slab] = fresh + 1
      ref = ((slab << SLAB_GRANULES_SHIFT) + fresh * (CLASS_SIZES[sizeClass]! >> GRANULE_SHIFT)) | 0
    }
    const used = this.slabUsed[slab]! + 1
    this.slabUsed[slab] = used
    if (used === CLASS_CAPACITY[sizeClass]!) this.unlinkSlab(slab, sizeClass)
    this.usedBytes += CLASS_SIZES[sizeClass]!
    return ref
  }

  /** Gives a block back. Its ref must not be used again. */
  release(ref: Ref): void {
    const slab = ref >>> SLAB_GRANULES_SHIFT
    const sizeClass = this.slabClass[slab]!
    if (sizeClass >= CLASS_NONE) {
      this.releaseLarge(ref, slab, sizeClass)
      return
    }
    this.words[ref >>> PAGE_GRANULES_SHIFT]![(ref & PAGE_GRANULES_MASK) << 1] = this.slabFree[slab]!
    this.slabFree[slab] = ref
    const used = this.slabUsed[slab]! - 1
    this.slabUsed[slab] = used
    this.usedBytes -= CLASS_SIZES[sizeClass]!
    if (used === CLASS_CAPACITY[sizeClass]! - 1) this.linkSlab(slab, sizeClass)
    else if (used === 0 && (this.partialSlab[sizeClass] !== slab || this.slabNext[slab] !== NO_SLAB)) {
      this.unlinkSlab(slab, sizeClass)
      this.freeSlabs(slab, 1)
    }
  }

  /** How many bytes the block can hold. */
  capacity(ref: Ref): number {
    const slab = ref >>> SLAB_GRANULES_SHIFT
    const sizeClass = this.slabClass[slab]!
    if (sizeClass < CLASS_NONE) return CLASS_SIZES[sizeClass]!
    if (sizeClass === CLASS_SPAN) return this.slabUsed[slab]! * SLAB_BYTES
    return this.bytes[ref >>> PAGE_GRANULES_SHIFT]!.length
  }

  /** What `allocate(sizeBytes)` would hold: equal capacities mean that a block can be rewritten in place without waste. */
  capacityFor(sizeBytes: number): number {
    if (sizeBytes <= SMALL_BYTES_MAX) return CLASS_SIZES[CLASS_BY_GRANULES[(sizeBytes + 7) >> GRANULE_SHIFT]!]!
    if (sizeBytes <= SPAN_BYTES_MAX) return Math.ceil(sizeBytes / SLAB_BYTES) * SLAB_BYTES
    return (sizeBytes + 4095) & ~4095
  }

  view8(ref: Ref): Uint8Array {
    return this.bytes[ref >>> PAGE_GRANULES_SHIFT]!
  }

  view32(ref: Ref): Int32Array {
    return this.words[ref >>> PAGE_GRANULES_SHIFT]!
  }

  viewData(ref: Ref): DataView {
    return this.data[ref >>> PAGE_GRANULES_SHIFT]!
  }

  at8(ref: Ref): number {
    return (ref & PAGE_GRANULES_MASK) << GRANULE_SHIFT
  }

  at32(ref: Ref): number {
    return (ref & PAGE_GRANULES_MASK) << 1
  }

  /** Pages held, used or not. */
  pageCount(): number {
    return this.bytes.length - this.freeNumbers.length
  }

  /** Bytes of slabs that hold blocks, and of huge blocks: what is held and not free for any use. */
  activeBytes(): number {
    let freeSlabs = 0
    for (let page = 0; page < this.bytes.length; page++) freeSlabs += this.pageFreeCount[page]!
    return this.heldBytes - freeSlabs * SLAB_BYTES
  }

  /** What is held and holds no block, empty pages aside: compaction could make it less. */
  scatteredBytes(): number {
    return this.occupiedBytes() - this.usedBytes
  }

  /** Bytes of pages that hold any block. */
  occupiedBytes(): number {
    return this.heldBytes - this.spares * PAGE_BYTES
  }

  /** Chooses the emptiest pages to be left, a share of all at most. Returns whether there are any. */
  startCompaction(): boolean {
    this.endCompaction()
    const liveBytes = new Float64Array(this.bytes.length)
    const candidates: number[] = []
    for (let page = 1; page < this.bytes.length; page++) {
      if (this.bytes[page]!.length !== PAGE_BYTES || this.pageFreeCount[page] === SLABS_PER_PAGE) continue
      const first = page << SLABS_PER_PAGE_SHIFT
      for (let slab = first; slab < first + SLABS_PER_PAGE; slab++) {
        const sizeClass = this.slabClass[slab]!
        if (sizeClass < CLASS_NONE) liveBytes[page]! += this.slabUsed[slab]! * CLASS_SIZES[sizeClass]!
        else if (sizeClass === CLASS_SPAN) liveBytes[page]! += this.slabUsed[slab]! * SLAB_BYTES
      }
      if (liveBytes[page]! <= LEAVE_BYTES_MAX) candidates.push(page)
    }
    candidates.sort((a, b) => liveBytes[a]! - liveBytes[b]!)
    const roomBytes = Math.max(this.heldBytes / LEAVE_SHARE, PAGE_BYTES)
    let movingBytes = 0
    let count = 0
    while (count < candidates.length && movingBytes + liveBytes[candidates[count]!]! <= roomBytes) {
      movingBytes += liveBytes[candidates[count++]!]!
    }
    // As many pages as are left would be filled.
    if (count <= Math.ceil(movingBytes / PAGE_BYTES)) return false
    for (const page of candidates.slice(0, count)) this.leavePage(page)
    this.isCompacting = true
    this.sortPartialSlabs()
    return true
  }

  /** Pages that were to be left and are not empty yet are used again. */
  endCompaction(): void {
    if (!this.isCompacting) return
    this.isCompacting = false
    this.pageLeaves.fill(0)
    for (let slab = 0; slab < this.bytes.length << SLABS_PER_PAGE_SHIFT; slab++) {
      if (this.slabLeaves[slab] === 0) continue
      this.slabLeaves[slab] = 0
      const sizeClass = this.slabClass[slab]!
      if (sizeClass < CLASS_NONE && this.slabUsed[slab]! < CLASS_CAPACITY[sizeClass]!) this.linkSlab(slab, sizeClass)
    }
  }

  /** Whether the block is in a page that is to be left. */
  leaves(ref: Ref): boolean {
    return this.slabLeaves[ref >>> SLAB_GRANULES_SHIFT] !== 0
  }

  /**
   * A copy of the block elsewhere if its page is to be left, else 0. The owner puts the new ref in the place of the old
   * one and releases that. 0 too when memory has ended.
   */
  relocated(ref: Ref): Ref {
    if (this.slabLeaves[ref >>> SLAB_GRANULES_SHIFT] === 0) {
      this.stayedBlocks++
      return 0
    }
    const sizeBytes = this.capacity(ref)
    let target: Ref
    try {
      target = this.allocate(sizeBytes)
    } catch (error) {
      if (error instanceof ArenaFullError) return 0
      throw error
    }
    this.relocatedBlocks++
    this.relocatedBytes += sizeBytes
    copyBytes(this.view8(ref), this.at8(ref), this.view8(target), this.at8(target), sizeBytes)
    return target
  }

  /** As `relocated`, for a block that one word alone refers to: gives back the old one and returns where it is now. */
  moved(ref: Ref): Ref {
    const target = this.relocated(ref)
    if (target === 0) return ref
    this.release(ref)
    return target
  }

  /** How blocks are spread over sizes, for MEMORY MALLOC-STATS. Walks over all slabs. */
  classUsage(): ClassUsage[] {
    const usage = CLASS_BYTES.map((blockBytes) => ({ blockBytes, slabs: 0, blocks: 0 }))
    const spans = { blockBytes: 0, slabs: 0, blocks: 0 }
    const huge = { blockBytes: 0, slabs: 0, blocks: 0 }
    for (let slab = 0; slab < this.bytes.length << SLABS_PER_PAGE_SHIFT; slab++) {
      const sizeClass = this.slabClass[slab]!
      if (sizeClass === CLASS_NONE) continue
      const kind = sizeClass === CLASS_SPAN ? spans : sizeClass === CLASS_HUGE ? huge : usage[sizeClass]!
      const isSmall = sizeClass < CLASS_NONE
      kind.slabs += isSmall ? 1 : sizeClass === CLASS_SPAN ? this.slabUsed[slab]! : 0
      kind.blocks += isSmall ? this.slabUsed[slab]! : 1
    }
    return [...usage, spans, huge]
  }

  /** Gives up all blocks at once: every ref is dead. The pages stay, for `trim` to drop. */
  reset(): void {
    this.isCompacting = false
    this.slabLeaves.fill(0)
    this.pageLeaves.fill(0)
    for (let page = 0; page < this.bytes.length; page++) {
      if (this.slabClass[page << SLABS_PER_PAGE_SHIFT] === CLASS_HUGE) this.dropPage(page)
      else if (this.bytes[page]!.length > 0) this.clearPage(page)
    }
    this.partialSlab.fill(NO_SLAB)
    this.usedBytes = 0
    this.searchFromPage = 0
    this.spares = Math.max(0, this.pageCount() - 1)
  }

  /**
   * Drops some of the pages that were not needed since the last call, beyond a reserve, so that a load that comes and
   * goes finds them again. To be called every few seconds. `all` drops every empty page.
   */
  trim(all = false): void {
    this.ballast.length = 0
    // A slab that is empty but the last of its class would keep a page from being empty.
    for (let sizeClass = 0; sizeClass < CLASS_BYTES.length; sizeClass++) {
      const slab = this.partialSlab[sizeClass]!
      if (slab === NO_SLAB || this.slabUsed[slab] !== 0) continue
      this.unlinkSlab(slab, sizeClass)
      this.freeSlabs(slab, 1)
    }
    const reserve = SPARE_PAGES_MIN + Math.floor((this.pageCount() - this.spares) / SPARE_SHARE)
    const surplus = all ? this.spares : this.sparesLow - reserve
    let drops = all ? surplus : Math.min(surplus, Math.max(TRIM_PAGES, Math.ceil(surplus / TRIM_SHARE)))
    for (let page = this.bytes.length - 1; page > 0 && drops > 0; page--) {
      if (this.pageFreeCount[page] !== SLABS_PER_PAGE) continue
      this.spares--
      drops--
      this.dropPage(page)
      this.addBallast()
    }
    this.sparesLow = this.spares
  }

  private leavePage(page: number): void {
    this.pageLeaves[page] = 1
    const first = page << SLABS_PER_PAGE_SHIFT
    for (let slab = first; slab < first + SLABS_PER_PAGE; slab++) {
      const sizeClass = this.slabClass[slab]!
      if (sizeClass === CLASS_NONE) continue
      if (sizeClass < CLASS_NONE && this.slabUsed[slab]! < CLASS_CAPACITY[sizeClass]!) this.unlinkSlab(slab, sizeClass)
      this.slabLeaves[slab] = 1
    }
  }

  /** Brings the fullest slabs to the front of their lists. */
  private sortPartialSlabs(): void {
    this.partialSlab.fill(NO_SLAB)
    for (let step = 0; step < FULLNESS_STEPS; step++) {
      for (let slab = 0; slab < this.bytes.length << SLABS_PER_PAGE_SHIFT; slab++) {
        const sizeClass = this.slabClass[slab]!
        if (sizeClass >= CLASS_NONE) continue
        const used = this.slabUsed[slab]!
        const capacity = CLASS_CAPACITY[sizeClass]!
        if (used < capacity && Math.floor((used * FULLNESS_STEPS) / capacity) === step) this.linkSlab(slab, sizeClass)
      }
    }
  }

  private allocateLarge(sizeBytes: number): Ref {
    if (sizeBytes > SPAN_BYTES_MAX) return this.allocateHuge(sizeBytes)
    const slabs = Math.ceil(sizeBytes / SLAB_BYTES)
    const first = this.takeSlabs(slabs)
    this.slabClass[first] = CLASS_SPAN
    this.slabUsed[first] = slabs
    this.usedBytes += slabs * SLAB_BYTES
    return (first << SLAB_GRANULES_SHIFT) | 0
  }

  private allocateHuge(sizeBytes: number): Ref {
    if (sizeBytes > BLOCK_BYTES_MAX) throw new ArenaFullError(`a block of ${sizeBytes} bytes is above the maximum`)
    // Number 0 is the ordinary page that keeps ref 0 from being a block.
    if (this.bytes.length === 0) this.addPage(PAGE_BYTES)
    const pageBytes = (sizeBytes + 4095) & ~4095
    const page = this.addPage(pageBytes)
    this.slabClass[page << SLABS_PER_PAGE_SHIFT] = CLASS_HUGE
    this.usedBytes += pageBytes
    return (page << PAGE_GRANULES_SHIFT) | 0
  }

  private releaseLarge(ref: Ref, slab: number, sizeClass: number): void {
    assert(sizeClass !== CLASS_NONE, 'released a block that is not allocated')
    if (sizeClass === CLASS_SPAN) {
      const slabs = this.slabUsed[slab]!
      this.usedBytes -= slabs * SLAB_BYTES
      this.freeSlabs(slab, slabs)
      return
    }
    const page = ref >>> PAGE_GRANULES_SHIFT
    this.usedBytes -= this.bytes[page]!.length
    this.dropPage(page)
  }

  private openSlab(sizeClass: number): number {
    const slab = this.takeSlabs(1)
    this.slabClass[slab] = sizeClass
    this.slabUsed[slab] = 0
    this.slabFresh[slab] = 0
    this.slabFree[slab] = 0
    this.linkSlab(slab, sizeClass)
    return slab
  }

  private linkSlab(slab: number, sizeClass: number): void {
    if (this.slabLeaves[slab] !== 0) return
    const head = this.partialSlab[sizeClass]!
    this.slabNext[slab] = head
    this.slabPrevious[slab] = NO_SLAB
    if (head !== NO_SLAB) this.slabPrevious[head] = slab
    this.partialSlab[sizeClass] = slab
  }

  private unlinkSlab(slab: number, sizeClass: number): void {
    if (this.slabLeaves[slab] !== 0) return
    const next = this.slabNext[slab]!
    const previous = this.slabPrevious[slab]!
    if (previous === NO_SLAB) this.partialSlab[sizeClass] = next
    else this.slabNext[previous] = next
    if (next !== NO_SLAB) this.slabPrevious[next] = previous
  }

  /** The first of `count` neighbouring free slabs, marked as taken. */
  private takeSlabs(count: number): number {
    for (let page = this.searchFromPage; page < this.bytes.length; page++) {
      if (this.pageFreeCount[page]! < count) {
        if (page === this.searchFromPage && this.pageFreeCount[page] === 0) this.searchFromPage++
        continue
      }
      if (this.pageLeaves[page] !== 0) continue
      const first = this.findRun(page, count)
      if (first >= 0) return this.markTaken(page, first, count)
    }
    let page: number
    try {
      page = this.addPage(PAGE_BYTES)
    } catch (error) {
      if (!this.isCompacting) throw error
      // There is room left in pages that were to be empty.
      this.endCompaction()
      return this.takeSlabs(count)
    }
    const first = this.findRun(page, count)
    // The very first page has one slab less to give than a block may need.
    return first >= 0 ? this.markTaken(page, first, count) : this.takeSlabs(count)
  }

  private findRun(page: number, count: number): number {
    let run = 0
    for (let slab = 0; slab < SLABS_PER_PAGE; slab++) {
      const word = slab < 32 ? this.pageFreeLow[page]! : this.pageFreeHigh[page]!
      if (word === 0) {
        slab |= 31
        run = 0
        continue
      }
      run = (word >>> (slab & 31)) & 1 ? run + 1 : 0
      if (run === count) return slab - count + 1
    }
    return -1
  }

  private markTaken(page: number, first: number, count: number): number {
    if (this.pageFreeCount[page] === SLABS_PER_PAGE) {
      this.spares--
      if (this.spares < this.sparesLow) this.sparesLow = this.spares
    }
    for (let slab = first; slab < first + count; slab++) {
      if (slab < 32) this.pageFreeLow[page]! &= ~(1 << slab)
      else this.pageFreeHigh[page]! &= ~(1 << (slab - 32))
    }
    this.pageFreeCount[page]! -= count
    return (page << SLABS_PER_PAGE_SHIFT) + first
  }

  private freeSlabs(first: number, count: number): void {
    const page = first >>> SLABS_PER_PAGE_SHIFT
    const firstInPage = first & (SLABS_PER_PAGE - 1)
    for (let slab = firstInPage; slab < firstInPage + count; slab++) {
      this.slabClass[(page << SLABS_PER_PAGE_SHIFT) + slab] = CLASS_NONE
      this.slabLeaves[(page << SLABS_PER_PAGE_SHIFT) + slab] = 0
      if (slab < 32) this.pageFreeLow[page]! |= 1 << slab
      else this.pageFreeHigh[page]! |= 1 << (slab - 32)
    }
    this.pageFreeCount[page]! += count
    if (page < this.searchFromPage) this.searchFromPage = page
    if (this.pageFreeCount[page] !== SLABS_PER_PAGE) return
    this.spares++
    if (this.pageLeaves[page] === 0) return
    this.pageLeaves[page] = 0
    this.leftPages++
  }

  /** A page for a huge block, or an ordinary one if that is its size: empty. */
  private addPage(pageBytes: number): number {
    let page = this.freeNumbers.pop()
    if (page === undefined) {
      page = this.bytes.length
      if (page === this.pagesMax) throw new ArenaFullError('all pages are in use')
    }
    let buffer: ArrayBufferLike
    try {
      buffer = pageBytes === PAGE_BYTES ? new SharedArrayBuffer(pageBytes) : Buffer.allocUnsafeSlow(pageBytes).buffer
    } catch {
      if (page !== this.bytes.length) this.freeNumbers.push(page)
      throw new ArenaFullError(`the system has no ${pageBytes} bytes to give`)
    }
    if (page === this.bytes.length) {
      this.bytes.push(EMPTY8)
      this.words.push(EMPTY32)
      this.data.push(EMPTY_DATA)
      this.growTables(page + 1)
    }
    this.bytes[page] = new Uint8Array(buffer)
    this.words[page] = new Int32Array(buffer)
    this.data[page] = new DataView(buffer)
    this.heldBytes += pageBytes
    if (this.heldBytes > this.heldBytesPeak) this.heldBytesPeak = this.heldBytes
    if (pageBytes !== PAGE_BYTES) {
      this.forgetSlabs(page)
      return page
    }
    this.clearPage(page)
    if (page > 0) this.spares++
    if (page < this.searchFromPage) this.searchFromPage = page
    return page
  }

  /** All slabs of an ordinary page are free. */
  private clearPage(page: number): void {
    this.forgetSlabs(page)
    this.pageFreeLow[page] = page === 0 ? ~1 : -1
    this.pageFreeHigh[page] = -1
    this.pageFreeCount[page] = page === 0 ? SLABS_PER_PAGE - 1 : SLABS_PER_PAGE
  }

  /** A page without slabs to give. */
  private forgetSlabs(page: number): void {
    this.pageFreeLow[page] = 0
    this.pageFreeHigh[page] = 0
    this.pageFreeCount[page] = 0
    this.slabClass.fill(CLASS_NONE, page << SLABS_PER_PAGE_SHIFT, (page + 1) << SLABS_PER_PAGE_SHIFT)
  }

  /** Makes V8 see that a page's worth of memory waits to be collected. */
  private addBallast(): void {
    try {
      this.ballast.push(Buffer.allocUnsafeSlow(PAGE_BYTES))
    } catch {
      // Without it the memory is given back later.
    }
  }

  private dropPage(page: number): void {
    this.heldBytes -= this.bytes[page]!.length
    this.bytes[page] = EMPTY8
    this.words[page] = EMPTY32
    this.data[page] = EMPTY_DATA
    this.forgetSlabs(page)
    this.freeNumbers.push(page)
  }

  private growTables(pages: number): void {
    if (pages <= this.pageFreeCount.length) return
    const capacity = Math.max(4, this.pageFreeCount.length * 2)
    this.pageFreeLow = grown(this.pageFreeLow, capacity)
    this.pageFreeHigh = grown(this.pageFreeHigh, capacity)
    this.pageFreeCount = grown(this.pageFreeCount, capacity)
    const slabs = capacity << SLABS_PER_PAGE_SHIFT
    const classes = new Uint8Array(slabs).fill(CLASS_NONE)
    classes.set(this.slabClass)
    this.slabClass = classes
    this.slabLeaves = grownFlags(this.slabLeaves, slabs)
    this.pageLeaves = grownFlags(this.pageLeaves, capacity)
    this.slabUsed = grown(this.slabUsed, slabs)
    this.slabFresh = grown(this.slabFresh, slabs)
    this.slabFree = grown(this.slabFree, slabs)
    this.slabNext = grown(this.slabNext, slabs)
    this.slabPrevious = grown(this.slabPrevious, slabs)
  }
}

function grown(array: Int32Array<ArrayBuffer>, capacity: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(capacity)
  larger.set(array)
  return larger
}

function grownFlags(flags: Uint8Array<ArrayBuffer>, capacity: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(capacity)
  larger.set(flags)
  return larger
}
