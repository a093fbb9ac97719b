/** Random requests of the bitmap commands. */
import type { CommandGenerator, Draw } from './generator.ts'

/** Far bits are rare: they make strings of 1 MiB, the longest allowed in these tests. */
function bitOffset(draw: Draw): string {
  if (draw.chance(0.9)) return String(draw.between(0, 600))
  if (draw.chance(0.95)) return draw.integer()
  return draw.pick(['8388600', '8388607', '8388608'])
}

function fieldType(draw: Draw): string {
  if (draw.chance(0.05)) return draw.pick(['u64', 'i65', 'u0', 'i', 'x8', '', 'u08', 'i-1', 'U8'])
  if (draw.chance(0.5))
    return draw.pick(['u1', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u63', 'i64', 'i63', 'u31', 'i33'])
  return draw.chance(0.5) ? `i${draw.between(1, 64)}` : `u${draw.between(1, 63)}`
}

function fieldOffset(draw: Draw): string {
  return draw.chance(0.3) ? `#${draw.chance(0.9) ? draw.between(0, 20) : draw.integer()}` : bitOffset(draw)
}

function fieldOperation(draw: Draw): string[] {
  const place = [fieldType(draw), fieldOffset(draw)]
  switch (draw.below(4)) {
    case 0:
      return [draw.word('GET'), ...place]
    case 1:
      return [draw.word('SET'), ...place, draw.integer()]
    case 2:
      return [draw.word('INCRBY'), ...place, draw.integer()]
    default:
      return [draw.word('OVERFLOW'), draw.chance(0.95) ? draw.word('WRAP', 'SAT', 'FAIL') : 'CLIP']
  }
}

function range(draw: Draw): string[] {
  return [draw.index(), draw.index(), ...draw.maybe(0.5, () => [draw.word('BYTE', 'BIT')])]
}

export const bitmapGenerators: readonly CommandGenerator[] = [
  { name: 'SETBIT', weight: 25, words: (draw) => ['SETBIT', draw.key(), bitOffset(draw), draw.pick(['0', '1', '1'])] },
  { name: 'GETBIT', words: (draw) => ['GETBIT', draw.key(), bitOffset(draw)] },
  { name: 'BITCOUNT', words: (draw) => ['BITCOUNT', draw.key(), ...draw.maybe(0.8, () => range(draw))] },
  {
    name: 'BITPOS',
    words: (draw) => [
      'BITPOS',
      draw.key(),
      draw.pick(['0', '1']),
      ...draw.maybe(0.8, () => range(draw).slice(0, draw.between(1, 3))),
    ],
  },
  {
    name: 'BITOP',
    weight: 15,
    words: (draw) => {
      const op = draw.word('AND', 'OR', 'XOR', 'NOT')
      const sources = op.toUpperCase() === 'NOT' && draw.chance(0.9) ? 1 : draw.between(1, 4)
      return ['BITOP', op, draw.key(), ...draw.several(sources, sources, () => draw.key())]
    },
  },
  {
    name: 'BITFIELD',
    weight: 25,
    words: (draw) => [
      'BITFIELD',
      draw.key(),
      ...Array.from({ length: draw.between(0, 5) }, () => fieldOperation(draw)).flat(),
    ],
  },
  {
    name: 'BITFIELD_RO',
    weight: 5,
    words: (draw) => [
      'BITFIELD_RO',
      draw.key(),
      ...Array.from({ length: draw.between(0, 3) }, () =>
        draw.chance(0.9) ? [draw.word('GET'), fieldType(draw), fieldOffset(draw)] : fieldOperation(draw),
      ).flat(),
    ],
  },
]
