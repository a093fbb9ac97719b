/** Random requests of the list commands. */
import type { CommandGenerator, Draw } from './generator.ts'

/** Of few, so that searches find some. */
function element(draw: Draw): string {
  const kind = draw.below(10)
  if (kind < 5) return draw.pick(['a', 'b', 'c', '1', '2', '-1', '', '127', '128'])
  return kind < 6 ? 'l'.repeat(draw.pick([62, 63, 64, 126, 4095, 4096, 9000])) : draw.value()
}

/** Now and then as many as need several nodes. */
function elements(draw: Draw): string[] {
  if (draw.chance(0.97)) return draw.several(1, 5, () => element(draw))
  const first = element(draw).slice(0, 100)
  return Array.from({ length: draw.between(100, 800) }, (_, i) => (draw.chance(0.2) ? first : `${first}${i}`))
}

function index(draw: Draw): string {
  return draw.chance(0.8) ? String(draw.between(-12, 12)) : draw.index()
}

function count(draw: Draw): string {
  return draw.chance(0.9) ? String(draw.between(0, 6)) : draw.index()
}

const end = (draw: Draw) => draw.word('LEFT', 'RIGHT')
const push = (name: string, weight: number): CommandGenerator => ({
  name,
  weight,
  words: (draw) => [name, draw.key(), ...elements(draw)],
})
const pop = (name: string): CommandGenerator => ({
  name,
  words: (draw) => [name, draw.key(), ...draw.maybe(0.4, () => [count(draw)])],
})

export const listGenerators: readonly CommandGenerator[] = [
  push('LPUSH', 35),
  push('RPUSH', 35),
  push('LPUSHX', 8),
  push('RPUSHX', 8),
  pop('LPOP'),
  pop('RPOP'),
  { name: 'LLEN', words: (draw) => ['LLEN', draw.key()] },
  { name: 'LINDEX', words: (draw) => ['LINDEX', draw.key(), index(draw)] },
  { name: 'LRANGE', weight: 20, words: (draw) => ['LRANGE', draw.key(), index(draw), index(draw)] },
  { name: 'LSET', words: (draw) => ['LSET', draw.key(), index(draw), element(draw)] },
  {
    name: 'LTRIM',
    words: (draw) => ['LTRIM', draw.key(), ...(draw.chance(0.7) ? [count(draw), '-1'] : [index(draw), index(draw)])],
  },
  { name: 'LREM', words: (draw) => ['LREM', draw.key(), index(draw), element(draw)] },
  {
    name: 'LINSERT',
    weight: 20,
    words: (draw) => ['LINSERT', draw.key(), draw.word('BEFORE', 'AFTER'), element(draw), element(draw)],
  },
  {
    name: 'LPOS',
    words: (draw) => {
      const options = [
        draw.maybe(0.4, () => [draw.word('RANK'), index(draw)]),
        draw.maybe(0.4, () => [draw.word('COUNT'), count(draw)]),
        draw.maybe(0.3, () => [draw.word('MAXLEN'), count(draw)]),
      ]
      if (draw.chance(0.5)) options.reverse()
      return ['LPOS', draw.key(), element(draw), ...options.flat()]
    },
  },
  { name: 'LMOVE', weight: 15, words: (draw) => ['LMOVE', draw.key(), draw.key(), end(draw), end(draw)] },
  { name: 'RPOPLPUSH', words: (draw) => ['RPOPLPUSH', draw.key(), draw.key()] },
  {
    name: 'LMPOP',
    words: (draw) => {
      const keys = draw.several(1, 4, () => draw.key())
      const numkeys = draw.chance(0.95) ? String(keys.length) : count(draw)
      return ['LMPOP', numkeys, ...keys, end(draw), ...draw.maybe(0.5, () => [draw.word('COUNT'), count(draw)])]
    },
  },
]
