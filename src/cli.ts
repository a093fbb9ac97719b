/**
 * The program: o7-redis [redis.conf] [--directive value ...] [-]. Everything that is about the process rather than
 * about a server is here: arguments, signals, exit codes, the pid file, running in the background.
 */
import { setFlagsFromString } from 'node:v8'
import { runProgram } from './server/program.ts'

// The data is not V8's and requests leave no garbage to speak of, so the young generation stays at its first 1 MiB: that is
// 4 MiB less, and what is in use stays in the processor's cache. An embedded server leaves such things to its host.
setFlagsFromString('--semi-space-growth-factor=1')
// A command goes through many small functions. By default V8 stops inlining them at 920 bytes of code in all, which leaves
// some twenty calls to each command; with room for them commands take a tenth less time.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=2000')
// Little of it survives, so that one thread is done before it could share the work; and where processors are few, it would
// wait for helpers that have none.
setFlagsFromString('--no-parallel-scavenge')

await runProgram(process.argv.slice(2), (code) => process.exit(code))
