/** All generators of random commands: a new family of commands adds its list here. */
import type { CommandGenerator } from './generator.ts'
import { bitmapGenerators } from './generator-bitmap.ts'
import { configGenerators } from './generator-config.ts'
import { genericGenerators } from './generator-generic.ts'
import { geoGenerators } from './generator-geo.ts'
import { hashGenerators } from './generator-hash.ts'
import { hyperloglogGenerators } from './generator-hyperloglog.ts'
import { listGenerators } from './generator-list.ts'
import { setGenerators } from './generator-set.ts'
import { streamGenerators } from './generator-stream.ts'
import { stringGenerators } from './generator-string.ts'
import { connectionGenerators, transactionGenerators } from './generator-transaction.ts'
import { zsetGenerators } from './generator-zset.ts'

export const ALL_GENERATORS: readonly CommandGenerator[] = [
  ...stringGenerators,
  ...listGenerators,
  ...hashGenerators,
  ...bitmapGenerators,
  ...hyperloglogGenerators,
  ...setGenerators,
  ...zsetGenerators,
  ...geoGenerators,
  ...streamGenerators,
  ...genericGenerators,
  ...transactionGenerators,
  ...connectionGenerators,
  ...configGenerators,
]
