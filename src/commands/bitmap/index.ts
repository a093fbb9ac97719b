/** The bitmap commands. */
import type { Command } from '../../engine/command.ts'
import { getbit, setbit } from './bit.ts'
import { bitcount } from './bitcount.ts'
import { bitfield, bitfieldRo } from './bitfield.ts'
import { bitop } from './bitop.ts'
import { bitpos } from './bitpos.ts'

export const bitmapCommands: readonly Command[] = [bitcount, bitfield, bitfieldRo, bitop, bitpos, getbit, setbit]
