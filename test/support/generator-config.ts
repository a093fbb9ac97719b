/**
 * CONFIG SET of the parameters that decide how values are kept: values made under one limit meet commands under another. A run
 * starts from the defaults.
 */
import type { CommandGenerator, Draw } from './generator.ts'

/** Redis's defaults, which every round begins with. */
export const ENCODING_DEFAULTS: Readonly<Record<string, string>> = {
  'hash-max-listpack-entries': '512',
  'hash-max-listpack-value': '64',
  'set-max-intset-entries': '512',
  'zset-max-listpack-entries': '128',
  'zset-max-listpack-value': '64',
  'list-max-listpack-size': '-2',
  'list-compress-depth': '0',
  'stream-node-max-entries': '100',
  'stream-node-max-bytes': '4096',
  'hll-sparse-max-bytes': '3000',
}

const NAMES = Object.keys(ENCODING_DEFAULTS)

function limit(draw: Draw, name: string): string {
  if (draw.chance(0.3)) return ENCODING_DEFAULTS[name]!
  if (name === 'list-max-listpack-size') return draw.pick(['-5', '-4', '-3', '-1', '1', '2', '3', '10', '128', '0'])
  if (name === 'list-compress-depth') return draw.pick(['0', '1', '2', '3'])
  if (name.startsWith('stream')) return draw.pick(['0', '1', '2', '3', '10', '64', '500'])
  // A few members of different scores must stay a listpack: see the ranges of bytes in generator-zset.ts.
  if (name.startsWith('zset')) return draw.pick(['16', '64', '100', '10000'])
  return draw.pick(['0', '1', '2', '3', '5', '16', '64', '100', '10000'])
}

export const configGenerators: readonly CommandGenerator[] = [
  {
    name: 'CONFIG',
    weight: 3,
    isContainer: true,
    isSpoiledNever: true,
    words: (draw) => {
      const name = draw.pick(NAMES)
      return ['CONFIG', draw.word('SET'), name, limit(draw, name)]
    },
  },
  {
    name: 'CONFIG',
    weight: 1,
    isContainer: true,
    words: (draw) => ['CONFIG', draw.word('GET'), draw.pick(NAMES)],
  },
]
