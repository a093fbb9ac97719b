/**
 * Which cells a search has to look at: the one around its centre and its eight neighbours, of a size such that they cover
 * the shape, without those that lie outside of its bounds.
 * Source: Redis's geohash_helper.c, by way of its behaviour: the order of cells decides which places a search with ANY finds.
 */
import { degrees, EARTH_RADIUS_METERS, radians } from './distance.ts'
import { Cell, STEPS_MAX } from './geohash.ts'
import type { Shape } from './search-options.ts'
import { cos } from './trigonometry.ts'

/** Half of what a Mercator projection of the world is wide. */
const MERCATOR_MAX = 20_037_726.37
/** Columns and rows away from the centre: north, south, east, west, and the corners. */
const MOVES: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
]

interface Bounds {
  readonly west: number
  readonly east: number
  readonly south: number
  readonly north: number
}

/** The cells to look at, in order. */
export function cellsToSearch(shape: Shape): Cell[] {
  const bounds = boundsOf(shape)
  const { width, height, radius, metersPerUnit, isBox } = shape
  const reach = isBox ? Math.sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) : radius
  let steps = stepsFor(reach * metersPerUnit, shape.latitude)
  let cells = cellsAround(shape, steps)
  if (steps > 1 && !covers(cells, bounds)) {
    steps--
    cells = cellsAround(shape, steps)
  }
  const center = cells[0]!
  if (steps < 2) return withoutTwins(cells)
  const isWanted = (index: number): boolean => {
    const [columns, rows] = MOVES[index]!
    if (rows < 0 && center.south < bounds.south) return false
    if (rows > 0 && center.north > bounds.north) return false
    if (columns < 0 && center.west < bounds.west) return false
    return !(columns > 0 && center.east > bounds.east)
  }
  return withoutTwins(cells.filter((_, index) => isWanted(index)))
}

function cellsAround({ longitude, latitude }: Shape, steps: number): Cell[] {
  const center = new Cell()
  center.locate(longitude, latitude, steps)
  return MOVES.map(([columns, rows]) => {
    const cell = new Cell()
    cell.moveFrom(center, columns, rows)
    return cell
  })
}

/** Whether the neighbours reach as far as the shape. */
function covers(cells: readonly Cell[], { west, east, south, north }: Bounds): boolean {
  const [, above, below, right, left] = cells
  return above!.north >= north && below!.south <= south && right!.east >= east && left!.west <= west
}

/** Around the world neighbours meet: one that is the same as that before it is left out. */
function withoutTwins(cells: readonly Cell[]): Cell[] {
  const kept: Cell[] = []
  let last = 0
  for (const [index, cell] of cells.entries()) {
    // As in Redis, the centre is not compared with.
    if (last > 0 && cell.equals(cells[last]!)) continue
    kept.push(cell)
    last = index
  }
  return kept
}

function stepsFor(reachMeters: number, latitude: number): number {
  if (reachMeters === 0) return STEPS_MAX
  let steps = 1
  for (let reach = reachMeters; reach < MERCATOR_MAX; reach *= 2) steps++
  steps -= 2
  // Cells are narrower towards the poles.
  if (latitude > 66 || latitude < -66) {
    steps--
    if (latitude > 80 || latitude < -80) steps--
  }
  return Math.max(1, Math.min(STEPS_MAX, steps))
}

function boundsOf({ longitude, latitude, isBox, radius, width, height, metersPerUnit }: Shape): Bounds {
  const up = metersPerUnit * (isBox ? height / 2 : radius)
  const aside = metersPerUnit * (isBox ? width / 2 : radius)
  const latitudes = degrees(up / EARTH_RADIUS_METERS)
  // Where the shape is nearest to a pole it spans the most degrees.
  const farLatitude = latitude < 0 ? latitude - latitudes : latitude + latitudes
  const longitudes = degrees(aside / EARTH_RADIUS_METERS / cos(radians(farLatitude)))
  return {
    west: longitude - longitudes,
    east: longitude + longitudes,
    south: latitude - latitudes,
    north: latitude + latitudes,
  }
}
