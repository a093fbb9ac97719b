/** Distances on a sphere as large as the Earth, in metres. Source: the haversine formula, as Redis applies it. */
import { asin, cos, sin } from './trigonometry.ts'

export const EARTH_RADIUS_METERS = 6_372_797.560856
const RADIANS_PER_DEGREE = Math.PI / 180

export function radians(degrees: number): number {
  return degrees * RADIANS_PER_DEGREE
}

export function degrees(radians: number): number {
  return radians / RADIANS_PER_DEGREE
}

/** Along a meridian. */
export function latitudeDistance(fromLatitude: number, toLatitude: number): number {
  return EARTH_RADIUS_METERS * Math.abs(radians(toLatitude) - radians(fromLatitude))
}

/** To the last digit what Redis computes: functions correctly rounded. */
export function distance(fromLongitude: number, fromLatitude: number, toLongitude: number, toLatitude: number): number {
  const v = sin((radians(toLongitude) - radians(fromLongitude)) / 2)
  if (v === 0) return latitudeDistance(fromLatitude, toLatitude)
  const from = radians(fromLatitude)
  const to = radians(toLatitude)
  const u = sin((to - from) / 2)
  const a = u * u + cos(from) * cos(to) * v * v
  return 2 * EARTH_RADIUS_METERS * asin(Math.sqrt(a))
}

/** The same but for the last digits, in a tenth of the time. */
export function roughDistance(
  fromLongitude: number,
  fromLatitude: number,
  toLongitude: number,
  toLatitude: number,
): number {
  const v = Math.sin((radians(toLongitude) - radians(fromLongitude)) / 2)
  if (v === 0) return latitudeDistance(fromLatitude, toLatitude)
  const from = radians(fromLatitude)
  const to = radians(toLatitude)
  const u = Math.sin((to - from) / 2)
  const a = u * u + Math.cos(from) * Math.cos(to) * v * v
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(a))
}
