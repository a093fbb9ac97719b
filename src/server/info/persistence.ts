/** INFO persistence. */
import { fixedText } from '../../base/double-text.ts'
import type { PersistenceState } from '../../persistence/state.ts'
import type { Server } from '../server.ts'
import type { Field } from './field.ts'

export function* persistenceSection({ engine, persistence, config }: Server): Generator<Field> {
  const { state } = persistence
  const nowSeconds = Math.floor(engine.clock.nowMs / 1000)
  const percentDone = state.currentKeysTotal === 0 ? 0 : (state.currentKeysDone / state.currentKeysTotal) * 100
  yield ['loading', Number(state.isLoading)]
  yield ['async_loading', Number(state.isAsyncLoading)]
  yield ['current_cow_peak', state.currentCowPeakBytes]
  yield ['current_cow_size', state.currentCowBytes]
  yield ['current_cow_size_age', 0]
  yield ['current_fork_perc', fixedText(percentDone, 2)]
  yield ['current_save_keys_processed', state.currentKeysDone]
  yield ['current_save_keys_total', state.currentKeysTotal]
  yield ['rdb_changes_since_last_save', engine.keyspace.dirty]
  yield ['rdb_bgsave_in_progress', Number(state.isSaving)]
  yield ['rdb_last_save_time', state.lastSaveSeconds]
  yield ['rdb_last_bgsave_status', state.lastSaveFailed ? 'err' : 'ok']
  yield ['rdb_last_bgsave_time_sec', state.lastSaveDurationSeconds]
  yield ['rdb_current_bgsave_time_sec', state.saveStartSeconds < 0 ? -1 : nowSeconds - state.saveStartSeconds]
  yield ['rdb_saves', state.saves]
  yield ['rdb_last_cow_size', state.lastCowBytes]
  yield ['rdb_last_load_keys_expired', state.lastLoadKeysExpired]
  yield ['rdb_last_load_keys_loaded', state.lastLoadKeysLoaded]
  const { aof } = persistence
  const { rewriteStartSeconds } = aof.state
  yield ['aof_enabled', Number(aof.phase !== 'off')]
  yield ['aof_rewrite_in_progress', Number(aof.isRewriting)]
  yield ['aof_rewrite_scheduled', Number(aof.state.rewriteIsScheduled)]
  yield ['aof_last_rewrite_time_sec', aof.state.lastRewriteSeconds]
  yield ['aof_current_rewrite_time_sec', rewriteStartSeconds < 0 ? -1 : nowSeconds - rewriteStartSeconds]
  yield ['aof_last_bgrewrite_status', aof.state.lastRewriteFailed ? 'err' : 'ok']
  yield ['aof_rewrites', aof.state.rewrites]
  yield ['aof_rewrites_consecutive_failures', aof.state.consecutiveFailures]
  yield ['aof_last_write_status', aof.state.writeError === null && aof.state.fsyncError === null ? 'ok' : 'err']
  yield ['aof_last_cow_size', aof.state.lastCowBytes]
  // Modules have no processes of their own.
  yield ['module_fork_in_progress', 0]
  yield ['module_fork_last_cow_size', 0]
  if (config.fields.appendonly) {
    yield ['aof_current_size', aof.state.currentBytes]
    yield ['aof_base_size', aof.state.baseBytes]
    yield ['aof_pending_rewrite', Number(aof.state.rewriteIsScheduled)]
    yield ['aof_buffer_length', aof.bufferedBytes]
    yield ['aof_pending_bio_fsync', Number(aof.isFsyncPending)]
    yield ['aof_delayed_fsync', aof.state.delayedFsyncs]
  }
  if (state.isLoading || state.isAsyncLoading) yield* loadingFields(state, nowSeconds)
}

function* loadingFields(state: PersistenceState, nowSeconds: number): Generator<Field> {
  const { loadingTotalBytes, loadingLoadedBytes, loadingUsedMemory, loadingStartSeconds } = state
  let percent = 0
  let remainingBytes = 1
  if (loadingTotalBytes > 0) {
    percent = (loadingLoadedBytes / loadingTotalBytes) * 100
    remainingBytes = loadingTotalBytes - loadingLoadedBytes
  } else if (loadingUsedMemory > 0) {
    // The size is not known from a stream; the memory that the data took when it was saved is near enough.
    percent = Math.min(99.99, (loadingLoadedBytes / loadingUsedMemory) * 100)
    remainingBytes = Math.max(1, loadingUsedMemory - loadingLoadedBytes)
  }
  const elapsedSeconds = nowSeconds - loadingStartSeconds
  yield ['loading_start_time', loadingStartSeconds]
  yield ['loading_total_bytes', loadingTotalBytes]
  yield ['loading_rdb_used_mem', loadingUsedMemory]
  yield ['loading_loaded_bytes', loadingLoadedBytes]
  yield ['loading_loaded_perc', fixedText(percent, 2)]
  yield [
    'loading_eta_seconds',
    elapsedSeconds === 0 ? 1 : Math.floor((elapsedSeconds * remainingBytes) / (loadingLoadedBytes + 1)),
  ]
}
