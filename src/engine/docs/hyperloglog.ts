/** Arguments, history and tips of the hyperloglog commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const hyperloglogDetails = (): DetailTable => ({
  pfadd: { arguments: 'key#0 [element ...]' },
  pfcount: {
    arguments: 'key#0 ...',
    keyNotes: ['Counts as a write, for it may store the count or change the encoding.'],
  },
  pfdebug: { arguments: 'subcommand key#0', isInternal: true },
  pfmerge: { arguments: 'destkey#0 sourcekey#1 ...' },
  pfselftest: { isInternal: true },
})
