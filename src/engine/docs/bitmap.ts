/** Arguments, history and tips of the bitmap commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const bitmapDetails = (): DetailTable => ({
  bitcount: {
    arguments: 'key#0 [index{start:integer end:integer [index_unit<BYTE | BIT>@7.0.0]}]',
    history: [['7.0.0', 'New: `BYTE` and `BIT`.']],
  },
  bitfield: {
    arguments: `key#0 [operation<
        GET encoding_offset{encoding offset:integer}
        | write{
          [OVERFLOW wrap_sat_fail<WRAP | SAT | FAIL>]
          write_operation<
            SET encoding_offset_value{encoding offset:integer value:integer}
            | INCRBY encoding_offset_increment{encoding offset:integer increment:integer}>}> ...]`,
    keyNotes: ['Reads alone with `GET`, writes with `SET` and `INCRBY`.'],
  },
  bitfield_ro: { arguments: 'key#0 [GET... encoding_offset{encoding offset:integer}]' },
  bitop: { arguments: 'operation destkey#0 key#1 ...' },
  bitpos: {
    arguments: 'key#0 bit:integer [index{start:integer [end_index{end:integer [index_unit<BYTE | BIT>@7.0.0]}]}]',
    history: [['7.0.0', 'New: `BYTE` and `BIT`.']],
  },
  getbit: { arguments: 'key#0 offset:integer' },
  setbit: { arguments: 'key#0 offset:integer value:integer' },
})
