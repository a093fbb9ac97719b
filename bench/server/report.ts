/** The report: Markdown tables and an SVG plot of the ratios o7 / redis with their targets. */
import type { Group, Measurement, Target } from './measurement.ts'

export interface Result {
  readonly measurement: Measurement
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
}

export interface GroupResult {
  readonly group: Group
  readonly rounds: number
  readonly environment: Environment
  readonly results: readonly Result[]
}

export interface Environment {
  readonly cpu: string
  readonly cores: number
  readonly system: string
  readonly node: string
  readonly ourVersion: string
  readonly theirVersion: string
  readonly date: string
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function ratioOf(result: Result): number {
  return median(result.ours) / median(result.theirs)
}

export function meetsTarget(result: Result, target: Target): boolean {
  const ratio = ratioOf(result)
  return (
    ratio <= (target.ratioMax ?? Infinity) &&
    ratio >= (target.ratioMin ?? -Infinity) &&
    median(result.ours) <= (target.valueMax ?? Infinity)
  )
}

export function formatNumber(number: number): string {
  if (!Number.isFinite(number)) return String(number)
  if (Math.abs(number) >= 1000) return Math.round(number).toLocaleString('en')
  return String(Number(number.toPrecision(3)))
}

function formatTarget(target: Target | undefined, unit: string): string {
  if (target === undefined) return ''
  const parts: string[] = []
  if (target.ratioMax !== undefined) parts.push(`<= ${target.ratioMax.toFixed(2)}`)
  if (target.ratioMin !== undefined) parts.push(`>= ${target.ratioMin.toFixed(2)}`)
  if (target.valueMax !== undefined) parts.push(`<= ${target.valueMax} ${unit}`)
  return parts.join(', ')
}

/** From the lowest to the highest of the rounds. */
function formatSpread(numbers: readonly number[]): string {
  return `${formatNumber(Math.min(...numbers))} .. ${formatNumber(Math.max(...numbers))}`
}

export function formatGroup({ group, rounds, environment, results }: GroupResult): string {
  const lines = [
    `### ${group.title}`,
    '',
    `${group.note} Medians of ${rounds} rounds, lowest and highest in brackets; ${environment.date}.`,
    '',
    '| | unit | o7-is | redis-server | ratio | target | |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const result of results) {
    const { measurement, ours, theirs } = result
    const { target, title, unit } = measurement
    const verdict = target === undefined ? '' : meetsTarget(result, target) ? 'met' : 'missed'
    const cells = [
      title,
      unit,
      `${formatNumber(median(ours))} (${formatSpread(ours)})`,
      `${formatNumber(median(theirs))} (${formatSpread(theirs)})`,
      `**${ratioOf(result).toFixed(2)}**`,
      formatTarget(target, unit),
      verdict,
    ]
    lines.push(`| ${cells.join(' | ')} |`)
  }
  return lines.join('\n')
}

/** `groups` is not empty. */
export function formatReport(groups: readonly GroupResult[]): string {
  const { cpu, cores, system, node, ourVersion, theirVersion } = groups[0]!.environment
  return `# Benchmarks

Written by \`npm run bench\`: o7-is beside redis-server on the same machine, over loopback, in interleaved rounds. The
ratio is o7 / redis, of the medians; for costs (CPU, memory, latency) less is better, for rates more.

o7-is ${ourVersion} on Node ${node}, redis-server ${theirVersion}; ${cpu}, ${cores} cores, ${system}.

![Ratios to redis-server](benchmarks.svg)

${groups.map(formatGroup).join('\n\n')}
`
}

const ROW_HEIGHT = 24
const LABEL_WIDTH = 270
const PLOT_WIDTH = 460
const MARGIN = 16
const HEADER_HEIGHT = 58
const RATIO_STEP = 0.25
const RATIO_MAX_SHOWN = 3

/** Horizontal bars of the ratios, a line at 1 (redis-server) and a mark at each target. */
export function plotRatios(groups: readonly GroupResult[]): string {
  const rows = groups.flatMap(({ results }) =>
    results.filter(({ measurement }) => measurement.target !== undefined || measurement.isPlotted),
  )
  const widest = Math.max(1.25, ...rows.map((row) => Math.min(RATIO_MAX_SHOWN, ratioOf(row))))
  const scaleMax = Math.ceil(widest / RATIO_STEP) * RATIO_STEP
  const x = (ratio: number) => LABEL_WIDTH + (Math.min(ratio, scaleMax) / scaleMax) * PLOT_WIDTH
  const width = LABEL_WIDTH + PLOT_WIDTH + MARGIN + 56
  const bottom = HEADER_HEIGHT + rows.length * ROW_HEIGHT
  const height = bottom + 34
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="Ratios of o7-is to redis-server">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${MARGIN}" y="22" font-size="15" font-weight="bold" fill="#222">o7-is / redis-server</text>`,
    `<text x="${MARGIN}" y="40" fill="#555">ratio of medians; green: target met, red: missed, grey: no target; mark: target</text>`,
  ]
  for (let tick = 0; tick <= scaleMax + 1e-9; tick += RATIO_STEP) {
    const isOne = Math.abs(tick - 1) < 1e-9
    out.push(
      `<line x1="${x(tick)}" x2="${x(tick)}" y1="${HEADER_HEIGHT - 6}" y2="${bottom}" stroke="${isOne ? '#222' : '#ddd'}"${isOne ? ' stroke-width="1.5"' : ''}/>`,
      `<text x="${x(tick)}" y="${bottom + 16}" text-anchor="middle" fill="#555">${tick.toFixed(2)}</text>`,
    )
  }
  for (const [index, row] of rows.entries()) {
    const y = HEADER_HEIGHT + index * ROW_HEIGHT
    const ratio = ratioOf(row)
    const { target, title, unit } = row.measurement
    const colour = target === undefined ? '#9aa5b1' : meetsTarget(row, target) ? '#2f9e44' : '#e03131'
    const label = unit === 'keys/s' ? `${title}: keys/s (more is better)` : title
    out.push(
      `<text x="${LABEL_WIDTH - 8}" y="${y + 14}" text-anchor="end" fill="#222">${label}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y + 3}" width="${(x(ratio) - LABEL_WIDTH).toFixed(1)}" height="${ROW_HEIGHT - 9}" fill="${colour}"/>`,
      `<text x="${(x(ratio) + 5).toFixed(1)}" y="${y + 14}" fill="#222">${ratio.toFixed(2)}</text>`,
    )
    const mark = target?.ratioMax ?? target?.ratioMin
    if (mark !== undefined) {
      out.push(
        `<line x1="${x(mark).toFixed(1)}" x2="${x(mark).toFixed(1)}" y1="${y}" y2="${y + ROW_HEIGHT - 3}" stroke="#1864ab" stroke-width="3"/>`,
      )
    }
  }
  out.push('</svg>')
  return `${out.join('\n')}\n`
}
