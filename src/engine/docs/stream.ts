/** Arguments, history and tips of the stream commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const streamDetails = (): DetailTable => ({
  xack: { arguments: 'key#0 group id ...' },
  xadd: {
    arguments: `key#0 [NOMKSTREAM@6.2.0]
      [trim{strategy<MAXLEN | MINID@6.2.0> [operator<==equal | ~=approximately>] threshold [LIMIT count:integer@6.2.0]}]
      id_or_auto<*=auto_id | id> field_value{field value} ...`,
    history: [
      ['6.2.0', 'New: `NOMKSTREAM`, `MINID` and `LIMIT`.'],
      ['7.0.0', 'Takes IDs of the form `<ms>-*`.'],
    ],
    tips: ['nondeterministic_output'],
    keyNotes: ['Counts as an update, for it may also trim the stream.'],
  },
  xautoclaim: {
    arguments: 'key#0 group consumer min-idle-time start [COUNT count:integer] [JUSTID]',
    history: [['7.0.0', 'The reply ends with the IDs of deleted entries that were dropped from the pending list.']],
    tips: ['nondeterministic_output'],
  },
  xclaim: {
    arguments: `key#0 group consumer min-idle-time id ... [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time]
      [RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID id]`,
    tips: ['nondeterministic_output'],
  },
  xdel: { arguments: 'key#0 id ...' },
  'xgroup|create': {
    arguments: 'key#0 groupname id<id | $=new_id> [MKSTREAM] [ENTRIESREAD entries_read:integer]',
    history: [['7.0.0', 'New: `ENTRIESREAD`.']],
  },
  'xgroup|createconsumer': { arguments: 'key#0 groupname consumername' },
  'xgroup|delconsumer': { arguments: 'key#0 groupname consumername' },
  'xgroup|destroy': { arguments: 'key#0 groupname' },
  'xgroup|setid': {
    arguments: 'key#0 groupname id<id | $=new_id> [ENTRIESREAD entries_read:integer]',
    history: [['7.0.0', 'New: `ENTRIESREAD`.']],
  },
  'xinfo|consumers': { arguments: 'key#0 groupname', tips: ['nondeterministic_output'] },
  'xinfo|groups': { arguments: 'key#0', history: [['7.0.0', 'New fields `entries-read` and `lag`.']] },
  'xinfo|stream': {
    arguments: 'key#0 [FULL full{[COUNT count:integer]}]',
    history: [
      ['6.0.0', 'New: `FULL`.'],
      [
        '7.0.0',
        'New fields `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`.',
      ],
    ],
  },
  xlen: { arguments: 'key#0' },
  xpending: {
    arguments: 'key#0 group [filters{[IDLE min-idle-time:integer@6.2.0] start end count:integer [consumer]}]',
    history: [['6.2.0', 'New: `IDLE`, and bounds that are left out of the range.']],
    tips: ['nondeterministic_output'],
  },
  xrange: {
    arguments: 'key#0 start end [COUNT count:integer]',
    history: [['6.2.0', 'A bound written with `(` is left out of the range.']],
  },
  xread: { arguments: '[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS streams{key#0 ... id ...}' },
  xreadgroup: {
    arguments: `GROUP group_consumer{group consumer} [COUNT count:integer] [BLOCK milliseconds:integer] [NOACK]
      STREAMS streams{key#0 ... id ...}`,
  },
  xrevrange: {
    arguments: 'key#0 end start [COUNT count:integer]',
    history: [['6.2.0', 'A bound written with `(` is left out of the range.']],
  },
  xsetid: {
    arguments: 'key#0 last-id [ENTRIESADDED entries_added:integer@7.0.0] [MAXDELETEDID max_deleted_entry_id@7.0.0]',
    history: [['7.0.0', 'New: `ENTRIESADDED` and `MAXDELETEDID`.']],
  },
  xtrim: {
    arguments: `key#0
      trim{strategy<MAXLEN | MINID@6.2.0> [operator<==equal | ~=approximately>] threshold [LIMIT count:integer@6.2.0]}`,
    history: [['6.2.0', 'New: `MINID` and `LIMIT`.']],
    tips: ['nondeterministic_output'],
  },
})
