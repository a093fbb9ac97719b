/**
 * A series of numbers as a graph of characters, with a label read downwards below each column:
 *
 *      #        |
 *    o#|o       |  rows, three steps each: _ o #, and | below the top of a column
 *   _||||       |
 *   12345       |  labels
 *   ssmmm
 *
 * Source: the output of Redis's LATENCY GRAPH, reproduced character by character (sparkline.c of the Redis sources).
 */
export interface Sample {
  readonly value: number
  readonly label: string
}

const STEPS = '_o#'

/** Lines of `columns` samples each with `rows` rows. */
export function renderSparkline(samples: readonly Sample[], columns: number, rows: number): string {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const { value } of samples) {
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  const parts: string[] = []
  for (let at = 0; at < samples.length; at += columns) {
    parts.push(renderPart(samples.slice(at, at + columns), rows, min, max - min || 1))
  }
  return parts.join('\n')
}

function renderPart(samples: readonly Sample[], rows: number, min: number, range: number): string {
  const steps = STEPS.length * rows
  const heights = samples.map(({ value }) => Math.min(steps - 1, Math.trunc(((value - min) * steps) / range)))
  let text = ''
  for (let row = 0; row < rows; row++) {
    const floor = (rows - row - 1) * STEPS.length
    text += `${heights.map((height) => characterAt(height - floor)).join('')}\n`
  }
  text += `${' '.repeat(samples.length)}\n`
  const labelRows = Math.max(...samples.map(({ label }) => label.length))
  for (let row = 0; row < labelRows; row++) text += `${samples.map(({ label }) => label[row] ?? ' ').join('')}\n`
  return text
}

/** What a row shows of a column that ends `height` steps above the row's floor. */
function characterAt(height: number): string {
  if (height < 0) return ' '
  return STEPS[height] ?? '|'
}
