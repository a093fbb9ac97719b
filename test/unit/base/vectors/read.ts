/**
 * Reads the golden vectors of this folder (made by generate.mjs from Redis's own C sources), or of another folder named by
 * O7_BASE_VECTORS. A line holds the arguments, in hexadecimal, and then the answers, all separated by spaces.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Vector {
  readonly line: number
  readonly arguments: readonly Buffer[]
  readonly answers: readonly string[]
}

export function readVectors(name: string, argumentCount: number): Vector[] {
  const folder = process.env.O7_BASE_VECTORS ?? import.meta.dirname
  const vectors = readFileSync(join(folder, `${name}.txt`), 'latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const words = line.split(' ')
      const args = words.slice(0, argumentCount).map((word) => Buffer.from(word === '.' ? '' : word, 'hex'))
      return { line: index + 1, arguments: args, answers: words.slice(argumentCount) }
    })
  if (vectors.length < 50) throw new Error(`${name}.txt holds only ${vectors.length} vectors`)
  return vectors
}

/** Long answers are kept as their length and SHA-1. */
export function shortened(answer: string): string {
  return answer.length <= 120 ? answer : `#${answer.length}:${createHash('sha1').update(answer).digest('hex')}`
}

/** The bytes in the middle of a larger buffer whose other bytes would change the answer if they were read. */
export function embedded(bytes: Buffer, around: string): { buf: Uint8Array; start: number; end: number } {
  const edge = Buffer.from(around, 'latin1')
  return { buf: Buffer.concat([edge, bytes, edge]), start: edge.length, end: edge.length + bytes.length }
}
