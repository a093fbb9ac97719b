import { pfadd, pfcount, pfmerge } from './count.ts'
import { pfdebug, pfselftest } from './debug.ts'

export const hyperloglogCommands = [pfadd, pfcount, pfmerge, pfdebug, pfselftest]
