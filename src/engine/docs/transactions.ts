/** Arguments, history and tips of the transactions commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const transactionsDetails = (): DetailTable => ({
  watch: { arguments: 'key#0 ...' },
})
