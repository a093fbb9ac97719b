/** All generators of random commands: a new family of commands adds its list here. */
import type { CommandGenerator } from './generator.ts'
import { bitmapGenerators } from './generator-bitmap.ts'
import { genericGenerators } from './generator-generic.ts'
import { setGenerators } from './generator-set.ts'
import { hyperloglogGenerators } from './generator-hyperloglog.ts'
import { stringGenerators } from './generator-string.ts'
import { connectionGenerators, transactionGenerators } from './generator-transaction.ts'

export const ALL_GENERATORS: readonly CommandGenerator[] = [
  ...stringGenerators,
  ...bitmapGenerators,
  ...hyperloglogGenerators,
  ...setGenerators,
  ...genericGenerators,
  ...transactionGenerators,
  ...connectionGenerators,
]
