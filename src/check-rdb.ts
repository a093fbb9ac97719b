/** The program o7-check-rdb. */
import { checkRdb, programName } from './server/check-programs.ts'

process.exit(await checkRdb(process.argv.slice(2), programName()))
