/** Transactions to us and to real redis-server: replies, what is propagated, who is told, and how the commands are counted. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectSameDialogue } from '../support/dialogue.ts'
import { expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { RawPair } from '../support/raw-pair.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const DIALOGUES: readonly string[] = [
  // Without anybody else
  '1> MULTI | EXEC | EXEC | DISCARD | MULTI | DISCARD | DISCARD',
  '1> MULTI | SET a 1 | INCR a | GET a | EXEC | GET a',
  '1> MULTI | MULTI | WATCH a | SET a 1 | EXEC',
  '1> MULTI | NOPE | SET a 1 | EXEC | EXEC',
  '1> MULTI | GET | SET a 1 | EXEC | GET a',
  '1> MULTI | CLIENT NOPE | EXEC | MULTI | CLIENT SETNAME | EXEC',
  '1> MULTI x | MULTI | EXEC x | EXEC | MULTI | DISCARD x | DISCARD',
  '1> MULTI | SET a x | INCR a | GET a | EXEC',
  '1> MULTI | SELECT 3 | SET a 3 | SELECT 99 | SELECT 4 | GET a | EXEC | GET a | SELECT 3 | GETDEL a',
  '1> MULTI | HELLO 3 | GET none | HELLO 2 | GET none | EXEC | GET none',
  '1> HELLO 3 | MULTI | GET none | EXEC | EXEC | WATCH a | SET a 1 | MULTI | EXEC',
  '1> MULTI | UNWATCH | QUIT | PING',
  '1> MULTI | RESET | EXEC',
  '1> MULTI | PING | PING x | ECHO y | PING a b | EXEC',
  '1> MULTI | COMMAND COUNT x | COMMAND GETKEYS get k | EXEC',
  '1> MULTI | SUBSCRIBE a | PUBLISH a x | UNSUBSCRIBE a | EXEC | PING',
  '1> MULTI | SSUBSCRIBE a | MONITOR | PSUBSCRIBE b | EXEC | PING | PUNSUBSCRIBE',
  '1> HELLO 3 | SUBSCRIBE a | MULTI | PUBLISH a x | SET k v | EXEC | PUBLISH a y',
  '1> SUBSCRIBE a | MULTI | EXEC',
  // WATCH and others
  '1> WATCH a / 2> SET a 1 / 1> MULTI | GET a | EXEC | MULTI | GET a | EXEC',
  '1> WATCH a b / 2> SET c 1 / 1> MULTI | PING | EXEC',
  '1> WATCH a | SET a 1 | MULTI | PING | EXEC',
  '1> WATCH a / 2> SET a 1 / 1> UNWATCH | MULTI | PING | EXEC',
  '1> WATCH a / 2> SET a 1 / 1> MULTI | DISCARD | MULTI | PING | EXEC',
  '1> WATCH a / 2> SET a 1 / 1> WATCH b | MULTI | PING | EXEC',
  '1> WATCH a a a / 2> GETDEL a / 1> MULTI | PING | EXEC / 2> SET a 1 / 1> WATCH a / 2> GETDEL a / 1> MULTI | PING | EXEC',
  '1> WATCH a / 2> SET a 1 / 1> MULTI | NOPE | EXEC | MULTI | PING | EXEC',
  '1> SELECT 1 | WATCH a | SELECT 0 / 2> SET a 1 / 1> MULTI | PING | EXEC | SELECT 1 | WATCH a / 2> SELECT 1 | SET a 1 / 1> MULTI | PING | EXEC',
  '1> WATCH a / 1> MULTI | SET a 1 | GET a | EXEC',
  '1> WATCH a / 2> APPEND a "" / 1> MULTI | PING | EXEC',
  '1> SET a 1 | WATCH a / 2> SETNX a 2 / 1> MULTI | PING | EXEC / 1> WATCH a / 2> SET a 1 XX / 1> MULTI | PING | EXEC',
  '1> WATCH a | RESET / 2> SET a 1 / 1> MULTI | PING | EXEC',
  // WATCH and time
  '1> SET a 1 PX 1 / WAIT-MS 5 / 1> WATCH a / 2> GET a / 1> MULTI | PING | EXEC',
  '1> SET a 1 PX 1 / WAIT-MS 5 / 1> WATCH a / 2> GET a / 2> SET a 2 / 1> MULTI | PING | EXEC',
  '1> SET a 1 PX 1 / WAIT-MS 5 / 1> WATCH a / 2> SET a 2 / 1> MULTI | PING | EXEC',
  '1> SET a 1 PX 60 | WATCH a / WAIT-MS 80 / 1> MULTI | PING | EXEC',
  '1> SET a 1 PX 60 | WATCH a / WAIT-MS 80 / 2> GET a / 1> MULTI | PING | EXEC',
  '1> SET a 1 PX 1 / WAIT-MS 5 / 1> WATCH a / 1> MULTI | GET a | EXEC',
  // WATCH and whole databases
  '1> WATCH a / 2> FLUSHDB / 1> MULTI | PING | EXEC',
  '1> SET a 1 | WATCH a / 2> FLUSHDB / 1> MULTI | PING | EXEC',
  '1> SET a 1 | WATCH a / 2> SELECT 3 | FLUSHDB / 1> MULTI | PING | EXEC / 2> FLUSHALL / 1> MULTI | PING | EXEC',
  '1> SET a 1 | WATCH a / 2> SELECT 3 | FLUSHALL / 1> MULTI | PING | EXEC',
  '1> SET a 1 PX 1 / WAIT-MS 5 / 1> WATCH a / 2> FLUSHALL / 1> MULTI | PING | EXEC',
  '1> SET a 1 PX 1 / WAIT-MS 5 / 1> WATCH a / 2> FLUSHALL | SET a 2 / 1> MULTI | PING | EXEC',
  '1> SET a 1 | WATCH a / 2> SWAPDB 0 1 / 1> MULTI | PING | EXEC / 2> SWAPDB 1 0',
  '1> WATCH a / 2> SWAPDB 0 1 / 1> MULTI | PING | EXEC',
  '2> SELECT 1 | SET a 1 / 1> WATCH a / 2> SWAPDB 0 1 / 1> MULTI | GET a | EXEC',
  '2> SELECT 1 | SET a 1 | SELECT 0 | SET a 2 / 1> WATCH a / 2> SWAPDB 0 1 / 1> MULTI | GET a | EXEC',
  '2> SELECT 1 | SET a 1 PX 1 / WAIT-MS 5 / 1> WATCH a / 2> SWAPDB 0 1 / 1> MULTI | GET a | EXEC',
  '1> SET a 1 PX 1 / 2> SELECT 1 | SET a 1 PX 1 / WAIT-MS 5 / 1> WATCH a / 2> SWAPDB 0 1 / 1> MULTI | GET a | EXEC',
  '1> SET a 1 PX 1 / WAIT-MS 5 / 1> WATCH a / 2> SWAPDB 0 1 / 1> MULTI | GET a | EXEC',
  '1> SET a 1 PX 1 / 2> SELECT 1 | SET a 2 / WAIT-MS 5 / 1> WATCH a / 2> SWAPDB 0 1 / 1> MULTI | GET a | EXEC',
  '1> SET a 1 | WATCH a / 2> SWAPDB 0 0 / 1> MULTI | GET a | EXEC',
  // Monitors see a transaction begin and end, whatever becomes of it
  'm> MONITOR / 1> MULTI | SET a 1 | EXEC | MULTI | NOPE | EXEC | MULTI | EXEC x | MULTI | DISCARD | EXEC',
  // No memory: nothing joins a queue, what ends it passes
  '1> SET a 1 | CONFIG SET maxmemory 1 | SET a 2 | GET a | MULTI | PING | WATCH a | MULTI | DISCARD | MULTI | GET a | EXEC | MULTI | RESET | MULTI | EXEC | CONFIG SET maxmemory 0',
  '1> MULTI | SET a 1 / 2> CONFIG SET maxmemory 1 / 1> EXEC | EXEC / 2> CONFIG SET maxmemory 0',
  '1> SET a 1 | MULTI | GET a / 2> CONFIG SET maxmemory 1 / 1> EXEC / 2> CONFIG SET maxmemory 0',
  // Pause
  '1> MULTI | SET a 1 / 2> CLIENT PAUSE 100000 WRITE / 1> EXEC / 2> GET a | CLIENT UNPAUSE | GET a',
  '1> MULTI | GET a / 2> CLIENT PAUSE 100000 WRITE / 1> EXEC / 2> CLIENT UNPAUSE',
  '1> WATCH a | MULTI | SET a 1 / 2> SET a 2 / 3> CLIENT PAUSE 100000 WRITE / 1> EXEC / 3> PING / 3> CLIENT UNPAUSE',
  '1> MULTI | NOPE | SET a 1 / 3> CLIENT PAUSE 100000 WRITE / 1> EXEC / 3> CLIENT UNPAUSE',
  '1> MULTI / 2> CLIENT PAUSE 100000 WRITE / 1> SET a 1 | PUBLISH a x / 2> CLIENT UNPAUSE / 1> EXEC',
  '1> SET a 1 | CLIENT PAUSE 100000 WRITE / 1> MULTI | CLIENT UNPAUSE | SET a 2 | EXEC | GET a / 2> GET a / 2> CLIENT UNPAUSE',
]

describe.skipIf(!hasRedisServer())('transactions', () => {
  let pair: RawPair
  beforeAll(async () => {
    pair = await RawPair.start({ 'enable-debug-command': 'yes' })
    for (const { exchange } of [pair.redis, pair.o7]) await exchange.run(['DEBUG SET-ACTIVE-EXPIRE 0\r\n'])
  })
  afterAll(() => pair?.stop())

  test.each(DIALOGUES)('%s', async (dialogue) => {
    await expectSameDialogue(pair, dialogue)
    for (const { exchange } of [pair.redis, pair.o7]) await exchange.run(['FLUSHALL\r\n'])
  })

  test('commands and errors are counted where they happened', async () => {
    const reports: string[][] = []
    for (const { exchange } of [pair.redis, pair.o7]) {
      await exchange.run(['CONFIG RESETSTAT\r\n'])
      await exchange.run([
        'MULTI\r\nSET a x\r\nINCR a\r\nEXEC\r\nMULTI\r\nNOPE\r\nGET\r\nGET a\r\nEXEC\r\nEXEC\r\nMULTI\r\nMULTI\r\nEXEC\r\nEXEC x\r\nCLIENT\r\nCLIENT KILL x\r\n',
      ])
      const { received } = await exchange.run(['INFO commandstats\r\nINFO errorstats\r\n'])
      const lines = received.split('\r\n').filter((line) => /^(cmdstat|errorstat)_/.test(line))
      reports.push(
        lines
          .map((line) => line.replace(/usec=\d+,usec_per_call=[\d.]+/, 'usec'))
          .filter((line) => !/_(info|ping)/.test(line)),
      )
    }
    expect(reports[1]!.toSorted()).toEqual(reports[0]!.toSorted())
    expect(reports[1]).toContain('cmdstat_exec:calls=4,usec,rejected_calls=1,failed_calls=2')
  })
})

describe.skipIf(!hasRedisServer())('effects of transactions', () => {
  let observers: Observers
  beforeAll(async () => {
    observers = await startObservers()
  })
  afterAll(() => observers?.close())

  test('are wrapped in MULTI and EXEC when there are several', async () => {
    await expectSameEffects(
      observers,
      ...['MULTI', 'SET a 1', 'EXEC'],
      ...['MULTI', 'SET a 1', 'INCR a', 'GET a', 'EXEC'],
      ...['MULTI', 'GET a', 'EXEC'],
      ...['MULTI', 'SET a 1', 'SELECT 2', 'SET b 1', 'SELECT 0', 'EXEC'],
      ...['MULTI', 'SELECT 3', 'SET b 1', 'SET c 1', 'EXEC', 'SELECT 0'],
      ...['MULTI', 'SET a x', 'INCR a', 'SET a 2 NX', 'EXEC'],
      ...['MULTI', 'SET a 1 PX 1', 'EXEC', 'WAIT-MS 5', 'SET a 2'],
      ...['MULTI', 'SET a 1 PX 1', 'SET b 2 PX 1', 'EXEC', 'WAIT-MS 5', 'MULTI', 'GET a', 'GET b', 'SET c 1', 'EXEC'],
      ...['MULTI', 'SET a 1 EX 100', 'GETEX a PERSIST', 'GETDEL a', 'EXEC'],
      ...['MULTI', 'PUBLISH c m', 'EXEC', 'MULTI', 'SET a 1', 'PUBLISH c m', 'SPUBLISH c m', 'EXEC'],
      ...['MULTI', 'SET a 1', 'DISCARD', 'EXEC'],
      ...['WATCH a', 'SET a 1', 'MULTI', 'SET a 2', 'EXEC'],
      ...['PUBLISH c m', 'SPUBLISH c m'],
    )
  })
})
