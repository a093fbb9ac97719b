/**
 * Sine, cosine and arcsine rounded correctly: of all doubles the nearest to the true value, but for one in some millions. V8's
 * own are off by the last digit in one case of ten; C libraries are right nearly always, so that what is stored of distances
 * is the same on other servers only with these.
 *
 * Numbers are carried as the sum of two doubles where it matters: about 70 bits of the result are right before it is
 * rounded. Arguments are angles up to a half turn, and for the arcsine 0 to 1.
 * Sources: 1. T. J. Dekker, "A Floating-Point Technique for Extending the Available Precision" (1971). 2. The power series.
 */

const HALF_PI = Math.PI / 2
/** What HALF_PI lacks. */
const HALF_PI_LOW = 6.123233995736766e-17
/** Veltkamp's constant: splits a double into two halves of 26 bits. */
const SPLITTER = 2 ** 27 + 1
/** Where the cosine is nearly 0 the arcsine needs no correction. */
const COSINE_MIN = 1e-9

// The inverse factorials, those of the first terms with what the double lacks.
const I3 = 0.16666666666666666
const I3_LOW = 9.25185853854297e-18
const I4 = 0.041666666666666664
const I4_LOW = 2.3129646346357427e-18
const I5 = 0.008333333333333333
const I5_LOW = 1.1564823173178714e-19
const I6 = 0.001388888888888889
const I6_LOW = -5.300543954373577e-20
const I7 = 0.0001984126984126984
const I7_LOW = 1.7209558293420705e-22
const I8 = 2.48015873015873e-5
const I8_LOW = 2.1511947866775882e-23
const I9 = 2.7557319223985893e-6
const I10 = 2.755731922398589e-7
const I11 = 2.505210838544172e-8
const I12 = 2.08767569878681e-9
const I13 = 1.6059043836821613e-10
const I14 = 1.1470745597729725e-11
const I15 = 7.647163731819816e-13
const I16 = 4.779477332387385e-14
const I17 = 2.8114572543455206e-15
const I18 = 1.5619206968586225e-16
const I19 = 8.22063524662433e-18
const I20 = 4.110317623312165e-19
const I21 = 1.9572941063391263e-20

export function sin(x: number): number {
  return x < 0 ? -sinLess(-x, 0) : sinLess(x, 0)
}

export function cos(x: number): number {
  return cosLess(Math.abs(x), 0)
}

export function asin(y: number): number {
  const near = Math.asin(y)
  const slope = Math.cos(near)
  return slope < COSINE_MIN ? near : near - sinLess(near, y) / slope
}

/** sin(x) - less, for x from 0 to pi. */
function sinLess(x: number, less: number): number {
  if (x <= HALF_PI / 2) return sinSeries(x, 0, less)
  if (x <= HALF_PI * 1.5) return cosSeries(HALF_PI - x, HALF_PI_LOW, less)
  return sinSeries(2 * HALF_PI - x, 2 * HALF_PI_LOW, less)
}

/** cos(x) - less, for x from 0 to pi. */
function cosLess(x: number, less: number): number {
  if (x <= HALF_PI / 2) return cosSeries(x, 0, less)
  if (x <= HALF_PI * 1.5) return sinSeries(HALF_PI - x, HALF_PI_LOW, less)
  return -cosSeries(2 * HALF_PI - x, 2 * HALF_PI_LOW, -less)
}

/** sin(high + low) - less, for up to an eighth of a turn. */
function sinSeries(x: number, xLow: number, less: number): number {
  const high = x + xLow
  const low = xLow - (high - x)
  const square = high * high
  const squareLow = productError(high, high, square) + 2 * high * low
  const tail = I9 - square * (I11 - square * (I13 - square * (I15 - square * (I17 - square * (I19 - square * I21)))))
  // sum = -1/3! + square * (1/5! - square * (1/7! - square * tail))
  let sum = 0
  let sumLow = 0
  let product = square * tail
  let productLow = productError(square, tail, product) + squareLow * tail
  sum = product - I7
  sumLow = product - (sum + I7) + (productLow - I7_LOW)
  for (let term = 0; term < 2; term++) {
    product = square * sum
    productLow = productError(square, sum, product) + (square * sumLow + squareLow * sum)
    const constant = term === 0 ? I5 : -I3
    sum = product + constant
    sumLow = product - (sum - constant) + (productLow + (term === 0 ? I5_LOW : -I3_LOW))
  }
  // x + x * square * sum
  product = square * sum
  productLow = productError(square, sum, product) + (square * sumLow + squareLow * sum)
  const rest = high * product
  const restLow = productError(high, product, rest) + (high * productLow + low * product)
  const result = high + rest
  return result - less + (rest - (result - high) + (restLow + low))
}

/** cos(high + low) - less, for up to an eighth of a turn. */
function cosSeries(x: number, xLow: number, less: number): number {
  const high = x + xLow
  const low = xLow - (high - x)
  const square = high * high
  const squareLow = productError(high, high, square) + 2 * high * low
  const tail = I10 - square * (I12 - square * (I14 - square * (I16 - square * (I18 - square * I20))))
  // sum = 1/4! - square * (1/6! - square * (1/8! - square * tail))
  let product = square * tail
  let productLow = productError(square, tail, product) + squareLow * tail
  let sum = I8 - product
  let sumLow = I8 - sum - product + (I8_LOW - productLow)
  for (let term = 0; term < 2; term++) {
    product = square * sum
    productLow = productError(square, sum, product) + (square * sumLow + squareLow * sum)
    const constant = term === 0 ? I6 : I4
    sum = constant - product
    sumLow = constant - sum - product + ((term === 0 ? I6_LOW : I4_LOW) - productLow)
  }
  // 1 - square / 2 + square * square * sum
  product = square * sum
  productLow = productError(square, sum, product) + (square * sumLow + squareLow * sum)
  const quartic = square * product
  const quarticLow = productError(square, product, quartic) + (square * productLow + squareLow * product)
  const half = square / 2
  const first = 1 - half
  const firstLow = 1 - first - half
  const result = first + quartic
  return result - less + (quartic - (result - first) + (firstLow + (quarticLow - squareLow / 2)))
}

/** What a product that was rounded lacks. */
function productError(a: number, b: number, product: number): number {
  const aSplit = SPLITTER * a
  const aHigh = aSplit - (aSplit - a)
  const aLow = a - aHigh
  const bSplit = SPLITTER * b
  const bHigh = bSplit - (bSplit - b)
  const bLow = b - bHigh
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow
}
