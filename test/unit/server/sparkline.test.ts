/** Graphs that Redis's own sparkline.c draws of the same samples: vectors made with it, with and without line breaks. */
import { expect, test } from 'vitest'
import { renderSparkline } from '../../../src/server/commands/sparkline.ts'
import vectors from './sparkline-vectors.json' with { type: 'json' }

test.each(vectors.map(({ samples, graph }) => [samples.length, samples, graph] as const))(
  '%i samples',
  (_count, samples, graph) => {
    const drawn = renderSparkline(
      samples.map(([value, label]) => ({ value: value as number, label: label as string })),
      80,
      4,
    )
    expect(drawn.split('\n')).toEqual(graph)
  },
)
