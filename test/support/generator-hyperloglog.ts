/** Random requests of the HyperLogLog commands. */
import type { CommandGenerator, Draw } from './generator.ts'

/** Keys of their own beside the common ones, so that values live long enough to become dense. */
function key(draw: Draw): string {
  return draw.chance(0.8) ? `hll:${draw.between(1, 6)}` : draw.key()
}

function element(draw: Draw): string {
  return draw.chance(0.8) ? String(draw.below(5000)) : draw.value()
}

const HEADER = 'HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80'
/** Values as no element makes them, corrupt ones among them. */
const VALUES: readonly string[] = [
  `${HEADER}\x7f\xff`,
  `${HEADER}\x7f\xfe`,
  `${HEADER}\x7f\xff\0`,
  `${HEADER}${'\x3f'.repeat(256)}`,
  `${HEADER}${'\x3f'.repeat(255)}${'\x84\x84\x86'.repeat(9)}${'\x83'.repeat(9)}\0`,
  `${HEADER}`,
  'HYLL',
  `HYLL\x02${HEADER.slice(5)}\x7f\xff`,
  `HYLL\0${HEADER.slice(5)}\x7f\xff`,
  `HYLL\0${HEADER.slice(5)}${'\xff'.repeat(12288)}`,
  `HYLL\0${HEADER.slice(5)}${'\x20\x08\x82'.repeat(4096)}`,
  `HYLL\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f\x7f\xff`,
]

export const hyperloglogGenerators: readonly CommandGenerator[] = [
  {
    name: 'PFADD',
    weight: 25,
    words: (draw) => ['PFADD', key(draw), ...draw.several(0, draw.chance(0.15) ? 800 : 8, () => element(draw))],
  },
  { name: 'PFCOUNT', weight: 12, words: (draw) => ['PFCOUNT', ...draw.several(1, 3, () => key(draw))] },
  { name: 'PFMERGE', weight: 8, words: (draw) => ['PFMERGE', ...draw.several(1, 4, () => key(draw))] },
  {
    name: 'PFDEBUG',
    weight: 4,
    words: (draw) => [
      'PFDEBUG',
      draw.word('GETREG', 'DECODE', 'DECODE', 'ENCODING', 'ENCODING', 'TODENSE', 'ELSE'),
      key(draw),
    ],
  },
  { name: 'SET', weight: 3, words: (draw) => ['SET', key(draw), draw.pick(VALUES)] },
  { name: 'GET', weight: 8, words: (draw) => ['GET', key(draw)] },
]
