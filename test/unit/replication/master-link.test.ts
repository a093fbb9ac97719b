/** What a replica makes of masters that say something wrong, or nothing: Redis's line in the log, and another try. */
import { describe, expect, test } from 'vitest'
import type { Link, LinkEvents } from '../../../src/replication/link.ts'
import { Node, World } from '../../support/simulated-network.ts'

const ID = 'a'.repeat(40)
const EMPTY_RDB = Buffer.from('REDIS0010\xff\x00\x00\x00\x00\x00\x00\x00\x00', 'latin1')

/** A master made of a script. */
class FakeMaster {
  readonly sent: string[] = []
  connections = 0
  isClosed = false
  private events: LinkEvents | null = null

  connect(events: LinkEvents): Link {
    this.events = events
    this.connections++
    this.isClosed = false
    return {
      localAddress: '',
      remoteAddress: '',
      send: (bytes) => void this.sent.push(Buffer.from(bytes).toString('latin1')),
      setReading() {},
      close: () => {
        this.isClosed = true
      },
    }
  }

  accept(): void {
    this.events!.connected()
  }

  say(text: string | Buffer): void {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
    this.events!.received(bytes, bytes.length)
  }

  /** Up to the point where PSYNC was sent. */
  greet(): void {
    this.accept()
    this.say('+PONG\r\n')
    this.say('+OK\r\n')
    this.say('+OK\r\n')
  }

  hangUp(reason = ''): void {
    this.events!.closed(reason)
  }
}

async function setUp() {
  const world = new World(1)
  const node = new Node(world)
  const master = new FakeMaster()
  node.replication.network.connect = (_host, _port, events) => master.connect(events)
  const client = node.client()
  client.send('SET', 'old', 'data')
  client.send('REPLICAOF', '10.0.0.2', '6379')
  const last = () => node.log[node.log.length - 1]!.replace(/^\d+ /, '')
  const logged = () => node.log.map((line) => line.replace(/^\d+ /, ''))
  return { world, node, master, client, last, logged }
}

describe('handshake', () => {
  test('its steps, and the data from a stream with a mark', async () => {
    const { node, master, client, world } = await setUp()
    node.settings.disklessLoad = 'swapdb'
    master.greet()
    expect(master.sent).toEqual([
      '*1\r\n$4\r\nPING\r\n',
      '*3\r\n$8\r\nREPLCONF\r\n$14\r\nlistening-port\r\n$4\r\n7000\r\n',
      '*5\r\n$8\r\nREPLCONF\r\n$4\r\ncapa\r\n$3\r\neof\r\n$4\r\ncapa\r\n$6\r\npsync2\r\n',
      expect.stringMatching(/^\*3\r\n\$5\r\nPSYNC\r\n\$40\r\n/),
    ])
    const mark = 'm'.repeat(40)
    // Of the same history, so that the old data may be read meanwhile.
    const { id } = node.replication.history
    master.say(`\r\n+FULLRESYNC ${id} 77\r\n\n$EOF:${mark}\r\n`)
    // In pieces of one byte, and what follows in the same piece as the end.
    const bytes = Buffer.concat([EMPTY_RDB, Buffer.from(mark)])
    for (const byte of bytes.subarray(0, -1)) master.say(Buffer.from([byte]))
    expect(client.send('GET', 'old'), 'the old data is there until the new is').toBe('$4\r\ndata\r\n')
    master.say(
      Buffer.concat([
        bytes.subarray(-1),
        Buffer.from('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*1\r\n$5\r\nMULTI\r\n'),
      ]),
    )
    expect(client.send('GET', 'old')).toBe('$-1\r\n')
    expect(client.send('GET', 'k')).toBe('$1\r\nv\r\n')
    expect(node.replication.history.id).toBe(id)
    expect(node.replication.offset, 'a transaction counts when it is whole').toBe(77 + 27)
    expect(node.replication.link.readOffset).toBe(77 + 27 + 15)
    await world.pass(1500)
    expect(master.sent[master.sent.length - 1]).toBe('*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$3\r\n104\r\n')
  })

  test.each([
    ['-ERR go away\r\n', "warning Error reply to PING from master: '-ERR go away'"],
    ['$5\r\nhello\r\n', "warning Error reply to PING from master: '$5'"],
    ['x'.repeat(70_000), `warning Error reply to PING from master: '${'x'.repeat(255)}'`],
  ])('an answer to PING that is none: %j', async (answer, line) => {
    const { master, world, last } = await setUp()
    master.accept()
    master.say(answer)
    expect(last()).toBe(line)
    expect(master.isClosed).toBe(true)
    await world.pass(1500)
    expect(master.connections, 'another try').toBe(2)
  })

  test('an end at every stage', async () => {
    const steps = ['', '+PONG\r\n', '+OK\r\n', '+OK\r\n', `+FULLRESYNC ${ID} 5\r\n`, '$100\r\n', 'REDIS0010']
    for (let until = 0; until <= steps.length; until++) {
      const { master, world, node, client } = await setUp()
      if (until > 0) master.accept()
      for (const step of steps.slice(1, until)) master.say(step)
      master.hangUp('Connection reset by peer')
      await world.pass(2500)
      expect(master.connections, `after ${until} steps`).toBeGreaterThan(1)
      expect(client.send('GET', 'old'), `after ${until} steps`).toBe('$4\r\ndata\r\n')
      expect(node.files.openFiles).toBe(0)
      expect(node.files.names, 'no file is left behind').toEqual([])
      expect(node.engine.isStopped).toBe(false)
    }
  })

  test('silence at every stage ends after repl-timeout', async () => {
    const steps = ['', '+PONG\r\n', '+OK\r\n', '+OK\r\n', `+FULLRESYNC ${ID} 5\r\n`, '$100\r\n', 'REDIS0010']
    for (let until = 0; until <= steps.length; until++) {
      const { master, world, node, logged } = await setUp()
      node.settings.timeoutSeconds = 5
      if (until > 0) master.accept()
      for (const step of steps.slice(1, until)) master.say(step)
      await world.pass(4500)
      expect(master.connections).toBe(1)
      await world.pass(3000)
      expect(master.connections, `after ${until} steps`).toBe(2)
      expect(
        logged().some((line) => /^warning Timeout (connecting to the MASTER|receiving bulk data)/.test(line)),
      ).toBe(true)
      expect(node.files.openFiles).toBe(0)
    }
  })
})

describe('PSYNC', () => {
  test.each([
    [
      '-NOMASTERLINK x',
      'notice Master is currently unable to PSYNC but should be in the future: -NOMASTERLINK x',
      'again',
    ],
    ['-LOADING x', 'notice Master is currently unable to PSYNC but should be in the future: -LOADING x', 'again'],
    ['-ERR unknown', 'notice Master does not support PSYNC or is in error state (reply: -ERR unknown)', 'SYNC'],
    ['+HELLO', 'warning Unexpected reply to PSYNC from master: +HELLO', 'SYNC'],
    ['+FULLRESYNC short 1', 'warning Master replied with wrong +FULLRESYNC syntax.', 'transfer'],
  ])('%s', async (answer, line, then) => {
    const { master, world, logged } = await setUp()
    master.greet()
    master.say(`${answer}\r\n`)
    expect(logged()).toContain(line)
    if (then === 'SYNC') expect(master.sent[master.sent.length - 1]).toBe('SYNC\r\n')
    else if (then === 'again') {
      await world.pass(1500)
      expect(master.connections).toBe(2)
    } else expect(master.isClosed).toBe(false)
  })

  test('CONTINUE goes on from the cached offset, under another id if the master says so', async () => {
    const { master, node, client } = await setUp()
    const before = node.replication.history.id
    master.greet()
    master.say(`+CONTINUE ${ID}\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n`)
    expect(node.replication.history.id).toBe(ID)
    expect(node.replication.history.secondId).toBe(before)
    expect(client.send('GET', 'k')).toBe('$1\r\nv\r\n')
    expect(client.send('GET', 'old')).toBe('$4\r\ndata\r\n')
  })
})

describe('bad data', () => {
  const sync = async (load: 'disabled' | 'swapdb' | 'on-empty-db', data: Buffer, isEmpty = false) => {
    const set = await setUp()
    set.node.settings.disklessLoad = load
    if (isEmpty) set.node.engine.keyspace.clear()
    set.master.greet()
    set.master.say(`+FULLRESYNC ${ID} 5\r\n$${data.length}\r\n`)
    set.master.say(data)
    await set.world.pass(300)
    return set
  }
  const broken = Buffer.concat([EMPTY_RDB.subarray(0, 9), Buffer.from([99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99])])

  test('in a file: it is not kept, and another try follows', async () => {
    const { logged, master, node } = await sync('disabled', broken)
    expect(
      logged().some((line) => line.includes('Failed trying to load the MASTER synchronization DB from disk')),
    ).toBe(true)
    expect(master.connections).toBe(2)
    expect(node.engine.keyspace.keyCount()).toBe(0)
    expect(node.files.openFiles).toBe(0)
  })

  test('beside the old data: that stays', async () => {
    const { logged, master, client, node } = await sync('swapdb', broken)
    expect(
      logged().some((line) => line.includes('Failed trying to load the MASTER synchronization DB from socket')),
    ).toBe(true)
    expect(master.connections).toBe(2)
    expect(client.send('GET', 'old')).toBe('$4\r\ndata\r\n')
    expect(node.engine.keyspace.hasGuests).toBe(false)
  })

  test('into empty databases: they stay empty', async () => {
    const { master, node } = await sync('on-empty-db', broken, true)
    expect(master.connections).toBe(2)
    expect(node.engine.keyspace.keyCount()).toBe(0)
  })

  test('the end comes while loading pauses for a key', async () => {
    const { master, node, client, world } = await setUp()
    node.settings.disklessLoad = 'swapdb'
    node.persistence.settings.keyLoadDelayUs = 2000
    master.greet()
    const mark = 'm'.repeat(40)
    master.say(`+FULLRESYNC ${ID} 5\r\n$EOF:${mark}\r\n`)
    const keys = Array.from({ length: 5 }, (_, i) => `\x00\x02k${i}\x01v`).join('')
    const rdb = `REDIS0010\xfe\x00${keys}\xff${'\x00'.repeat(8)}`
    master.say(Buffer.from(`${rdb}${mark}*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n`, 'latin1'))
    expect(node.replication.link.state).toBe('transfer')
    await world.pass(100)
    expect(node.replication.link.state).toBe('connected')
    expect(client.send('EXISTS', 'k0', 'k4', 'k', 'old')).toBe(':3\r\n')
    expect(node.replication.offset).toBe(5 + 27)
  })

  test('a wrong mark at the end', async () => {
    const { master, node, client, logged } = await setUp()
    node.settings.disklessLoad = 'swapdb'
    master.greet()
    master.say(`+FULLRESYNC ${ID} 5\r\n$EOF:${'m'.repeat(40)}\r\n`)
    master.say(Buffer.concat([EMPTY_RDB, Buffer.from('n'.repeat(40))]))
    expect(logged()).toContain('warning Replication stream EOF marker is broken')
    expect(client.send('GET', 'old')).toBe('$4\r\ndata\r\n')
    expect(master.connections).toBe(2)
  })

  test.each([
    ['-ERR no', 'warning MASTER aborted replication with an error: ERR no'],
    [
      'hello',
      "warning Bad protocol from MASTER, the first byte is not '$' (we received 'hello'), are you sure the host and port are right?",
    ],
  ])('no data at all: %s', async (header, line) => {
    const { master, logged } = await setUp()
    master.greet()
    master.say(`+FULLRESYNC ${ID} 5\r\n${header}\r\n`)
    expect(logged()).toContain(line)
    expect(master.connections).toBe(2)
  })

  test('a stream that is no protocol ends the link without a cache', async () => {
    const { master, node, logged } = await setUp()
    master.greet()
    master.say(`+CONTINUE ${ID}\r\nGET / HTTP/1.1\r\n`)
    expect(logged().some((line) => line.includes('Receiving inline protocol from master'))).toBe(true)
    expect(node.replication.link.cached).toBe(null)
    expect(master.connections).toBe(2)
  })
})

test('commands of the master that fail are told one by one, and followed by the next', async () => {
  const { master, client, logged, node } = await setUp()
  master.greet()
  const request = (...parts: string[]) =>
    `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`
  const lines = [request('LPOP', 'old'), request('INCR', 'n'), request('nosuch', 'n'), request('SET', 'n')]
  master.say(`+CONTINUE ${ID}\r\n${lines.join('')}${request('LSET', 'nothing', '0', 'x')}`)
  const told = logged().filter((line) => line.includes('== CRITICAL ==') || line.includes('Latest backlog'))
  const critical = (message: string, command: string) =>
    `warning == CRITICAL == This replica is sending an error to its master: '${message}' after processing the command '${command}'`
  expect(told.filter((line) => line.includes('== CRITICAL =='))).toEqual([
    critical('-WRONGTYPE Operation against a key holding the wrong kind of value', 'lpop'),
    critical("unknown command 'nosuch', with args beginning with: 'n' ", '<unknown>'),
    critical("wrong number of arguments for 'set' command", 'set'),
    critical('-ERR no such key', 'lset'),
  ])
  // What was applied before the command, without the command.
  const latest = told.filter((line) => line.includes('Latest backlog'))
  expect(latest.at(-1)).toContain(String.raw`SET\r\n$1\r\nn\r\n"'`)
  expect(latest.at(-1)).not.toContain('LSET')
  expect(client.send('GET', 'n')).toBe('$1\r\n1\r\n')
  expect(node.engine.statistics.unexpectedErrors).toBe(4)
})
