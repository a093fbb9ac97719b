/**
 * Numbers as text and globs, nanoseconds of CPU per call, median of seven rounds.
 * Run: node scripts/run-ts.mjs bench/micro/base-text.ts
 */
import { double17g, parseDouble, writeDouble, writeDouble17g } from '../../src/base/double-text.ts'
import { globMatch } from '../../src/base/glob.ts'
import { isInt64, parseInt64, parseSafeInt, writeInt, writeUint } from '../../src/base/int64-text.ts'
import { addFloatText, addLongDouble, longDoubleHumanText, parseLongDouble } from '../../src/base/long-double.ts'
import { measure } from './measure.ts'

const out = new Uint8Array(64)
const texts = (list: readonly string[]) => list.map((text) => Buffer.from(text))
const small = texts(['1', '42', '1000', '65535', '-17', '123456', '7', '99999'])
const large = texts([
  '1700000000000',
  '9007199254740991',
  '-123456789012345',
  '1234567890',
  '4294967296',
  '8589934592',
  '1e9',
  '12345678901',
])
const huge = texts(['9223372036854775807', '-9223372036854775808', '1234567890123456789', '9007199254740993'])
const decimals = texts(['3.14', '0.1', '-12.5', '100', '99.95', '1e10', '0.30000000000000004', '12345.678'])
const doubles = [3.14, 0.1, -12.5, 1.5, 99.95, 1e-7, 0.30000000000000004, 12345.678]
const integers = [1, 42, 1000, 65535, -17, 123456, 1700000000000, 99999]
const pattern = Buffer.from('user:*:name')
const names = texts([
  'user:1000:name',
  'user:1000:mail',
  'session:1000',
  'user:1:friends:name',
  'a',
  'user:',
  'user::name',
  'x',
])

measure('parseSafeInt, up to 6 digits', (i) => void parseSafeInt(small[i & 7]!, 0, small[i & 7]!.length))
measure('parseSafeInt, up to 16 digits', (i) => void parseSafeInt(large[i & 7]!, 0, large[i & 7]!.length))
measure('isInt64, up to 16 digits', (i) => void isInt64(large[i & 7]!, 0, large[i & 7]!.length))
measure('parseInt64, 16 to 19 digits', (i) => void parseInt64(huge[i & 3]!, 0, huge[i & 3]!.length))
measure('writeUint, 3 digits', (i) => void writeUint(out, 0, 100 + (i & 511)))
measure('writeInt, mixed', (i) => void writeInt(out, 0, integers[i & 7]!))
measure('parseDouble, short decimals', (i) => void parseDouble(decimals[i & 7]!, 0, decimals[i & 7]!.length))
measure('writeDouble17g, integers', (i) => void writeDouble17g(out, 0, integers[i & 7]!))
measure('writeDouble, integers', (i) => void writeDouble(out, 0, integers[i & 7]!))
measure('double17g, fractions', (i) => void double17g(doubles[i & 7]!))
measure('addFloatText, fast path', () => void addFloatText(decimals[0]!, 0, 4, decimals[1]!, 0, 3))
measure('long double: parse twice, add, print', () => {
  longDoubleHumanText(addLongDouble(parseLongDouble(decimals[4]!, 0, 5)!, parseLongDouble(decimals[7]!, 0, 9)!))
})
measure(
  'globMatch, one star',
  (i) => void globMatch(pattern, 0, pattern.length, names[i & 7]!, 0, names[i & 7]!.length, false),
)
