/** The program o7-check-aof. */
import { checkAof, programName } from './server/check-programs.ts'

process.exit(await checkAof(process.argv.slice(2), programName()))
