/**
 * Sine, cosine and arcsine against values computed with 60 digits and then rounded, among them such that V8's own functions
 * miss by a digit; and geohashes at the edges of the world.
 */
import { expect, test } from 'vitest'
import { Cell, geohashText, Place, STEPS_MAX, scoreText } from '../../src/commands/geo/geohash.ts'
import { asin, cos, sin } from '../../src/commands/geo/trigonometry.ts'

const FUNCTIONS = { sin, cos, asin }
const CASES: readonly (readonly ['sin' | 'cos' | 'asin', number, number])[] = [
  ['asin', 0.39186569066590216, 0.4026585942575891],
  ['asin', 0.5335307413608343, 0.5627696306981621],
  ['asin', 0.788009549780357, 0.9075692557013567],
  ['asin', 0.8268053039341334, 0.9734041667014969],
  ['asin', 0.9565164769764188, 1.2748153638121351],
  ['asin', 0.9665643123171954, 1.311475323963858],
  ['cos', 0.24566070868255513, 0.9699768541645907],
  ['cos', 0.3166613749401601, 0.9502803456515468],
  ['cos', 0.5776689089542744, 0.8377378697881946],
  ['cos', 1.767382288196929, -0.19532219435975665],
  ['cos', 1.977495274147892, -0.3955796975522888],
  ['cos', 2.4055974535048383, -0.7411630177550631],
  ['sin', 0.24566070868255513, 0.24319724995353978],
  ['sin', 0.4823216429929774, 0.46383721473846123],
  ['sin', 0.6173910363548604, 0.578909806178809],
  ['sin', 0.8601291740569209, 0.7579268345670359],
  ['sin', 1.9804577890565576, 0.9172557145598047],
  ['sin', 2.388862905067115, 0.683633544528447],
]

test.each(CASES)('%s(%d) is rounded correctly', (name, argument, value) => {
  expect(FUNCTIONS[name](argument)).toBe(value)
})

test('simple angles', () => {
  expect([sin(0), cos(0), asin(0), asin(1), sin(Math.PI / 2), cos(-1) - cos(1), sin(-1) + sin(1)]).toEqual([
    0,
    1,
    0,
    Math.PI / 2,
    1,
    0,
    0,
  ])
})

test('a place is found again in the middle of its cell', () => {
  const cell = new Cell()
  const place = new Place()
  for (let i = 0; i < 2000; i++) {
    const longitude = ((i * 7919) % 3600) / 10 - 180
    const latitude = ((i * 104_729) % 1700) / 10 - 85
    cell.locate(longitude, latitude, STEPS_MAX)
    expect(scoreText(cell)).toBe(String(cell.scoreMin))
    place.decode(cell.scoreMin)
    expect(Math.abs(place.longitude - longitude)).toBeLessThan(360 / 2 ** 26)
    expect(Math.abs(place.latitude - latitude)).toBeLessThan(171 / 2 ** 26)
    expect(cell.west <= place.longitude && place.longitude <= cell.east).toBe(true)
    expect(cell.south <= place.latitude && place.latitude <= cell.north).toBe(true)
  }
})

test('the corners of the world', () => {
  const cell = new Cell()
  cell.locate(180, 85.05112878, STEPS_MAX)
  // One cell beyond the last one both ways: 2^53 + 2^52.
  expect(scoreText(cell)).toBe('13510798882111488')
  cell.locate(-180, -85.05112878, STEPS_MAX)
  expect(scoreText(cell)).toBe('0')
  const place = new Place()
  place.decode(3_479_099_956_230_698)
  expect(geohashText(place)).toBe('sqc8b49rny0')
})
