import type { Command } from '../../engine/command.ts'
import { getbit, setbit } from './bit.ts'
import { bitcount } from './bitcount.ts'
import { bitfield, bitfieldRo } from './bitfield.ts'
import { bitop } from './bitop.ts'
import { bitpos } from './bitpos.ts'
import { LongBits } from './long-bits.ts'

/** The bitmap commands of one server. */
export function bitmapCommands(): readonly Command[] {
  const bits = new LongBits()
  return [bitcount(bits), bitfield, bitfieldRo, bitop(bits), bitpos, getbit, setbit]
}
