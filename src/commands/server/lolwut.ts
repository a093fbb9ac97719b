/**
 * LOLWUT [VERSION version] [columns [rows]]: the version, and for the two versions of Redis that have a piece of their own
 * a small picture. Ours is a field of hills under a moon, a different one each time. Reply: verbatim text that ends with
 * "Redis ver. <version>".
 * Source: Redis command reference, LOLWUT (since 5.0.0).
 */
import type { Random } from '../../base/random.ts'
import { REDIS_VERSION } from '../../base/version.ts'
import { defineCommand } from '../../engine/command.ts'
import { FAST, READONLY } from '../../engine/flags.ts'
import { ERR_NOT_INTEGER } from '../../resp/errors.ts'
import { readInt64 } from '../connection/read-integer.ts'

const DEFAULT_COLUMNS = 66
const DEFAULT_ROWS = 12
/** As Redis's own pieces bound their canvas. */
const COLUMNS_MAX = 1000
const ROWS_MAX = 200
const VERSION_LINE = `Redis ver. ${REDIS_VERSION}\n`
/** The versions with a picture; 7.0 is none of them. */
const DRAWS = new Set([5, 6])
const SHADES = '░▒▓'

export const lolwut = defineCommand({
  name: 'LOLWUT',
  arity: -1,
  flags: READONLY | FAST,
  doc: { group: 'server', since: '5.0.0', summary: 'Draws a picture and tells the version.' },
  run(ctx, argv, reply) {
    const asks = argv.count >= 3 && argv.is(1, 'VERSION')
    let version = Number.parseInt(REDIS_VERSION, 10)
    if (asks) {
      const asked = readInt64(argv, 2, reply, ERR_NOT_INTEGER)
      if (asked === null) return
      // Redis writes the number as an unsigned int before it looks at it.
      version = Number(BigInt.asUintN(32, asked))
    }
    if (!DRAWS.has(version)) return reply.verbatim(VERSION_LINE, 'txt')
    const sizes = [DEFAULT_COLUMNS, DEFAULT_ROWS]
    // The piece of version 5 has a third size, which ours only checks.
    for (let i = 3; i < Math.min(argv.count, version === 5 ? 6 : 5); i++) {
      const size = readInt64(argv, i, reply, ERR_NOT_INTEGER)
      if (size === null) return
      sizes[i - 3] = Number(size)
    }
    const [columns, rows] = sizes as [number, number]
    const picture = landscape(
      Math.min(COLUMNS_MAX, Math.max(1, columns)),
      Math.min(ROWS_MAX, Math.max(1, rows)),
      ctx.engine.random,
    )
    reply.verbatim(Buffer.from(`${picture}\n${VERSION_LINE}`, 'utf8').toString('latin1'), 'txt')
  },
})

function landscape(columns: number, rows: number, random: Random): string {
  const canvas = Array.from({ length: rows }, () => new Array<string>(columns).fill(' '))
  for (let i = 0; i < (columns * rows) / 40; i++) canvas[random.below(rows)]![random.below(columns)] = '.'
  canvas[random.below(Math.max(1, rows >> 2))]![random.below(columns)] = 'o'
  for (const [layer, shade] of [...SHADES].entries()) {
    const base = (rows * (layer + 2)) / 5
    const waves = [1, 2, 3].map(() => ({
      length: columns / (1 + random.below(5)),
      height: (random.float() * rows) / 8,
      phase: random.float() * 2 * Math.PI,
    }))
    for (let x = 0; x < columns; x++) {
      let top = base
      for (const { length, height, phase } of waves) top += height * Math.sin((x / length) * 2 * Math.PI + phase)
      for (let y = Math.max(0, Math.round(top)); y < rows; y++) canvas[y]![x] = shade
    }
  }
  return canvas.map((line) => `${line.join('')}\n`).join('')
}
