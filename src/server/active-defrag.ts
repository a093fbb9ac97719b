/**
 * activedefrag: whether memory is scattered enough to be gathered, and how much time that may take. Rules, figures and log
 * lines are Redis's (activeDefragCycle in defrag.c). As there, nothing moves while a snapshot is under way.
 *
 *   fragmentation  lower ............ upper
 *   time           cycle-min ........ cycle-max, per cent
 */
import { fixedText } from '../base/double-text.ts'
import type { Engine } from '../engine/engine.ts'
import { GATE_LOADING } from '../engine/gates.ts'

/** One turn, clients served between two of them, microseconds. */
const TURN_US = 500
/** After a pass that gave nothing back, memory has to be scattered by so much more before there is another. */
const FRUITLESS_GROWTH = 1.1

export interface DefragSettings {
  readonly activedefrag: boolean
  readonly activeDefragCycleMin: number
  readonly activeDefragCycleMax: number
  readonly activeDefragThresholdLower: number
  readonly activeDefragThresholdUpper: number
  readonly activeDefragIgnoreBytes: number
  readonly activeDefragMaxScanFields: number
}

export class ActiveDefrag {
  /** active_defrag_running: the share of time it may take, per cent; 0 = it does not run. */
  percent = 0
  /** What `tick` allows until the next, microseconds. */
  private budgetUs = 0
  private readonly engine: Engine
  private readonly settings: () => DefragSettings
  /** Since when it runs, monotonic microseconds. */
  private sinceUs = 0
  private totalUs = 0
  private hitsBefore = 0
  /** What the last pass could not gather. */
  private fruitlessBytes = 0
  private timer: NodeJS.Immediate | null = null

  constructor(engine: Engine, settings: () => DefragSettings) {
    this.engine = engine
    this.settings = settings
  }

  /** total_active_defrag_time and current_active_defrag_time, milliseconds. */
  get timesMs(): { total: number; current: number } {
    const currentUs = this.percent === 0 ? 0 : this.engine.clock.monotonicUs - this.sinceUs
    return { total: Math.floor((this.totalUs + currentUs) / 1000), current: Math.floor(currentUs / 1000) }
  }

  resetStatistics(): void {
    const { arena, defragmenter } = this.engine.keyspace
    arena.relocatedBlocks = 0
    arena.stayedBlocks = 0
    defragmenter.keyHits = 0
    defragmenter.keyMisses = 0
    this.totalUs = 0
    this.hitsBefore = 0
  }

  /** The cron's share. */
  tick(): void {
    const { engine } = this
    const { keyspace, settings } = engine
    const { activedefrag } = this.settings()
    if (!activedefrag || keyspace.snapshot !== null || keyspace.hasGuests || (engine.gate & GATE_LOADING) !== 0) {
      // What is under way ends, so that pages that were to be left are of use meanwhile.
      this.budgetUs = 0
      if (this.percent > 0) this.end()
      return
    }
    keyspace.defragmenter.atOnceEffortMax = this.settings().activeDefragMaxScanFields
    if (this.percent === 0 && !this.begin()) return
    this.percent = Math.max(this.percent, this.wantedPercent())
    this.budgetUs = (1_000_000 * this.percent) / 100 / settings.hz
    this.turn()
  }

  stop(): void {
    if (this.timer !== null) clearImmediate(this.timer)
    this.timer = null
  }

  private begin(): boolean {
    const { arena, defragmenter } = this.engine.keyspace
    if (arena.scatteredBytes() < this.fruitlessBytes * FRUITLESS_GROWTH) return false
    const percent = this.wantedPercent()
    if (percent === 0 || !defragmenter.begin()) return false
    this.percent = percent
    this.sinceUs = this.engine.clock.monotonicUs
    this.hitsBefore = arena.relocatedBlocks
    this.engine.log(
      'verbose',
      `Starting active defrag, frag=${this.fragmentation()}%, frag_bytes=${arena.scatteredBytes()}, cpu=${percent}%`,
    )
    return true
  }

  private end(): void {
    const { engine } = this
    const { arena, defragmenter } = engine.keyspace
    defragmenter.stop()
    this.totalUs += engine.clock.monotonicUs - this.sinceUs
    engine.log(
      'verbose',
      `Active defrag done in ${Math.floor((engine.clock.monotonicUs - this.sinceUs) / 1000)}ms, reallocated=${arena.relocatedBlocks - this.hitsBefore}, frag=${this.fragmentation()}%, frag_bytes=${arena.scatteredBytes()}`,
    )
    this.percent = 0
  }

  private readonly turn = (): void => {
    this.timer = null
    const { clock, keyspace, isStopped, latency } = this.engine
    const { arena, defragmenter } = keyspace
    if (isStopped || this.budgetUs <= 0 || keyspace.snapshot !== null) return
    clock.refresh()
    const startUs = clock.monotonicUs
    const goesOn = defragmenter.step(startUs + TURN_US)
    const usedUs = Math.max(1, clock.monotonicUs - startUs)
    latency.sample('active-defrag-cycle', usedUs / 1000)
    this.budgetUs -= usedUs
    if (!goesOn) {
      this.percent = Math.max(1, this.wantedPercent())
      this.fruitlessBytes = defragmenter.wasFruitful ? 0 : arena.scatteredBytes()
      if (!defragmenter.wasFruitful || this.wantedPercent() === 0 || !defragmenter.begin()) {
        this.fruitlessBytes = arena.scatteredBytes()
        this.end()
        return
      }
    }
    if (this.budgetUs > 0) this.timer = setImmediate(this.turn)
  }

  private wantedPercent(): number {
    const settings = this.settings()
    const { arena } = this.engine.keyspace
    const lower = settings.activeDefragThresholdLower
    const upper = settings.activeDefragThresholdUpper
    const fragmentation = (arena.scatteredBytes() / Math.max(1, arena.usedBytes)) * 100
    if (fragmentation < lower || arena.scatteredBytes() < settings.activeDefragIgnoreBytes) return 0
    const { activeDefragCycleMin: least, activeDefragCycleMax: most } = settings
    const share = upper === lower ? 1 : (fragmentation - lower) / (upper - lower)
    return Math.floor(Math.min(Math.max(least + (most - least) * share, least), Math.max(least, most)))
  }

  private fragmentation(): string {
    const { arena } = this.engine.keyspace
    return fixedText((arena.scatteredBytes() / Math.max(1, arena.usedBytes)) * 100, 0)
  }
}
