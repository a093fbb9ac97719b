/** Random requests of the transaction commands, and of those on the connection itself. */
import type { CommandGenerator } from './generator.ts'

export const transactionGenerators: readonly CommandGenerator[] = [
  { name: 'MULTI', weight: 12, words: () => ['MULTI'] },
  { name: 'EXEC', weight: 25, words: () => ['EXEC'] },
  { name: 'DISCARD', weight: 3, words: () => ['DISCARD'] },
  { name: 'WATCH', weight: 12, words: (draw) => ['WATCH', ...draw.several(1, 2, () => draw.key())] },
  { name: 'UNWATCH', weight: 2, words: () => ['UNWATCH'] },
]

export const connectionGenerators: readonly CommandGenerator[] = [
  { name: 'PING', weight: 4, words: (draw) => ['PING', ...draw.maybe(0.5, () => [draw.value()])] },
  { name: 'ECHO', weight: 2, words: (draw) => ['ECHO', draw.value()] },
  {
    name: 'NOSUCHCOMMAND',
    isUnknown: true,
    weight: 1,
    words: (draw) => ['NOSUCHCOMMAND', ...draw.several(0, 3, () => draw.value())],
  },
]
