/** All groups, in the order of the report. */
import type { Group } from '../measurement.ts'
import { appendOnlyGroup } from './append-only.ts'
import { bgsaveGroup } from './bgsave.ts'
import { throughputGroup } from './commands.ts'
import { evictionGroup } from './eviction.ts'
import { memoryGroup } from './memory.ts'
import { rdbGroup } from './rdb.ts'
import { replicationGroup } from './replication.ts'
import { savingUnderLoadGroup } from './saving-under-load.ts'
import { typeCommandGroup, typeLargeGroup, typeMemoryGroup } from './types.ts'

export const GROUPS: readonly Group[] = [
  throughputGroup(1, 1.1),
  throughputGroup(16, 0.9),
  throughputGroup(64, 0.7),
  memoryGroup,
  evictionGroup,
  rdbGroup,
  bgsaveGroup,
  savingUnderLoadGroup,
  appendOnlyGroup,
  replicationGroup,
  typeCommandGroup(1, 1.15),
  typeCommandGroup(16, 0.9),
  typeMemoryGroup,
  typeLargeGroup,
]
