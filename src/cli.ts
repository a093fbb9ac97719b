/**
 * The program: o7-redis [redis.conf] [--directive value ...] [-]. Everything that is about the process rather than
 * about a server is here: arguments, signals, exit codes, the pid file, running in the background.
 */
import { runProgram } from './server/program.ts'

await runProgram(process.argv.slice(2), (code) => process.exit(code))
