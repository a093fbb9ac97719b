/**
 * Which places lie in a shape, and how far they are from its centre.
 *
 * Distances equal to the last digit to Redis's take trigonometric functions that are rounded correctly, which cost ten
 * times as much as V8's. Those are good enough to say that a place is inside, or which of two is nearer, unless it is a
 * matter of the last digits; only then, and for distances that are shown, the exact ones are computed.
 */
import { distance, latitudeDistance, roughDistance } from './distance.ts'
import { Place } from './geohash.ts'
import type { Shape } from './search-options.ts'

/** Rough distances are farther than this from exact ones never: 1e-9 of themselves, or a hundredth of a micrometre. */
const DOUBT_SHARE = 1e-9
const DOUBT_METERS = 1e-8
const NO_BYTES = new Uint8Array(0)

export class FoundPlace {
  member: Uint8Array = NO_BYTES
  readonly score: number
  readonly longitude: number
  readonly latitude: number
  readonly roughMeters: number
  private readonly shape: Shape
  private exactMeters = -1

  constructor(shape: Shape, score: number, { longitude, latitude }: Place, roughMeters: number) {
    this.shape = shape
    this.score = score
    this.longitude = longitude
    this.latitude = latitude
    this.roughMeters = roughMeters
  }

  /** From the centre. */
  get meters(): number {
    if (this.exactMeters < 0) {
      const { shape } = this
      this.exactMeters = distance(shape.longitude, shape.latitude, this.longitude, this.latitude)
    }
    return this.exactMeters
  }
}

/** By distance, the nearest first. */
export function compareDistances(a: FoundPlace, b: FoundPlace): number {
  const difference = a.roughMeters - b.roughMeters
  return isInDoubt(difference, a.roughMeters) ? a.meters - b.meters : difference
}

/** A function that takes a score for a place: the place if it is in the shape, else null. */
export function placeFinder(shape: Shape): (score: number) => FoundPlace | null {
  const place = new Place()
  const isInside = shape.isBox ? boxFilter(shape, place) : circleFilter(shape, place)
  return (score) => {
    place.decode(score)
    if (!isInside()) return null
    const meters = roughDistance(shape.longitude, shape.latitude, place.longitude, place.latitude)
    return new FoundPlace(shape, score, place, meters)
  }
}

function circleFilter({ longitude, latitude, radius, metersPerUnit }: Shape, place: Place): () => boolean {
  const most = radius * metersPerUnit
  return () => {
    const meters = roughDistance(longitude, latitude, place.longitude, place.latitude)
    if (!isInDoubt(meters - most, most)) return meters <= most
    return distance(longitude, latitude, place.longitude, place.latitude) <= most
  }
}

function boxFilter({ longitude, latitude, width, height, metersPerUnit }: Shape, place: Place): () => boolean {
  const up = (height * metersPerUnit) / 2
  const aside = (width * metersPerUnit) / 2
  return () => {
    if (latitudeDistance(place.latitude, latitude) > up) return false
    const meters = roughDistance(place.longitude, place.latitude, longitude, place.latitude)
    if (!isInDoubt(meters - aside, aside)) return meters <= aside
    return distance(place.longitude, place.latitude, longitude, place.latitude) <= aside
  }
}

function isInDoubt(difference: number, size: number): boolean {
  return Math.abs(difference) <= size * DOUBT_SHARE + DOUBT_METERS
}
