/**
 * The configuration beside that of a real redis-server 7.0.15: defaults, what CONFIG SET takes and refuses and in which
 * words, what files and command lines do, what CONFIG REWRITE writes. Ours runs in-process, without a server around it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseArguments } from '../../src/server/arguments.ts'
import { ConfigFileError } from '../../src/server/config/load.ts'
import type { Parameter } from '../../src/server/config/parameter.ts'
import { PARAMETERS, type ParameterName } from '../../src/server/config/registry.ts'
import { ConfigHarness, TemporaryFolder } from '../support/config-harness.ts'
import { hasRedisServer, type RedisProcess, serverProgram, startServer } from '../support/redis-process.ts'
import { decodeReply, RespClient } from '../support/resp-client.ts'

const ALL = Object.entries<Parameter>(PARAMETERS) as [ParameterName, Parameter][]
const NAMES = ALL.flatMap(([name, { alias }]) => (alias === undefined ? [name] : [name, alias]))

/** Given to the real server when it is started, so not at its default there. */
const STARTED_WITH = new Set(['port', 'bind', 'dir', 'save', 'enable-protected-configs'])

/** What no parameter of ours may be tried with in this way, and why. */
const NOT_TRIED: Readonly<Record<string, string>> = {
  port: 'opens sockets',
  bind: 'opens sockets',
  'oom-score-adj': 'changes the process',
  'oom-score-adj-values': 'its warning depends on privileges; has a table of its own',
  maxclients: 'depends on limits of the system; has a table of its own',
  timeout: 'ends our own connection',
  'watchdog-period': 'sends signals',
  activedefrag: 'needs an allocator that the reference is not always built with',
}

const VALUES = [
  ...[
    'yes',
    'no',
    'YES',
    'No',
    'ye',
    '',
    ' ',
    'abc',
    'ABC/def',
    'a\\b',
    'a b',
    '"x"',
    "'x'",
    'caf\xc3\xa9',
    '\xff\xfe',
  ],
  ...[
    '0',
    '1',
    '-1',
    '-0',
    '00',
    '01',
    '+1',
    ' 1',
    '1 ',
    '1\t',
    '1.5',
    '1e3',
    '0x10',
    '7',
    '8',
    '10',
    '50',
    '99',
    '100',
  ],
  ...['101', '128', '129', '500', '501', '1000', '1001', '1023', '1024', '65535', '65536', '777', '778', '1000'],
  ...['1048575', '1048576', '2147483647', '2147483648', '-2147483648', '-2147483649', '4294967295', '4294967296'],
  ...['9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809'],
  ...['18446744073709551615', '18446744073709551616', '99999999999999999999', '999999999999999999999'],
  ...[
    '1b',
    '1k',
    '1K',
    '1kb',
    '1KB',
    '1m',
    '1mb',
    '1g',
    '1gb',
    '1Gb',
    '1t',
    '1tb',
    'kb',
    'mb',
    '1 mb',
    '-1mb',
    '2000mb',
  ],
  ...['17179869184gb', '17179869185gb', '1%', '0%', '-1%', '100%', '101%', '%', '1%%'],
  ...['everysec', 'always', 'ALWAYS', 'default', 'save', 'nosave', 'now', 'force', 'save nosave', 'nosave now force'],
  ...[
    'now  force',
    'force,now',
    'save save',
    'default save',
    'debug',
    'verbose',
    'notice',
    'warning',
    'upstart',
    'local',
  ],
  ...['local0', 'allkeys-lru', 'VOLATILE-TTL', 'noeviction', 'swapdb', 'on-empty-db', 'clients', 'allchannels', 'ip'],
  ...['unknown-endpoint', 'panic', 'panic-on-replicas', 'relative', 'absolute', 'optional'],
  ...[
    '900 1',
    '900 1 300 10',
    '900',
    '900 1 300',
    '0 1',
    '900 -1',
    '900  1',
    '900 1 ',
    ' 900 1',
    '900 1x',
    '4294967297 4294967297',
  ],
  ...[
    'normal 0 0 0',
    'slave 1mb 1kb 60',
    'replica 1 2 3',
    'pubsub 1gb 1 0 normal 1gb 1g 1',
    'master 0 0 0',
    'normal 0 0',
  ],
  ...[
    'normal x 0 0',
    'normal 0 0 -1',
    'normal 0 0 4294967297',
    'NORMAL 1gb 1000mb 1',
    'other 0 0 0',
    'normal -1 0 0',
    'normal 0 0 1x',
  ],
  ...['KEA', 'AKE', 'Kx', 'g$lshzxetmdn', 'Q', 'KEAmn', 'gg', 'mKn'],
  ...[
    '50 99 99.9',
    '0',
    '100',
    '100.1',
    '-0',
    '-0.1',
    '12.3456789',
    '1e1',
    '0x1p3',
    '0x1.8',
    'inf',
    'nan',
    '1e400',
    '1e-400',
    '50,99',
  ],
  ...['5e-324', '.5', '5.', '+5', '99.99999999', '33.333333333'],
  ...[
    '{title}',
    '{title} x',
    '{listen-addr}',
    '{nope}',
    '{',
    '{{',
    '{{}',
    '{}',
    'x{',
    '{config-file}',
    '{port} {tls-port}',
    '{server-mode}',
    '{unixsocket}',
  ],
  ...[
    'x'.repeat(255),
    'x'.repeat(256),
    'host-name.example',
    'host_name',
    'a\0b',
    'yes\0no',
    '10\0x',
    '1mb\0',
    'KEA\0Q',
  ],
]

/** Values that a parameter of ours refuses although a real server takes them: the declared gaps. */
function isDeclaredGap(name: string): boolean {
  return ALL.some(([key, parameter]) => (key === name || parameter.alias === name) && parameter.notYet !== undefined)
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

describe.skipIf(!hasRedisServer())('beside redis-server', () => {
  let real: RedisProcess
  let client: RespClient
  let folder: TemporaryFolder

  beforeAll(async () => {
    folder = new TemporaryFolder()
    real = await startServer({
      server: 'redis',
      dir: folder.path,
      directives: { 'enable-protected-configs': 'yes' },
    })
    client = await real.connect()
  })
  afterAll(async () => {
    client.end()
    await real.stop()
    folder[Symbol.dispose]()
  })

  /** Ours, in the state that the real server was started in. */
  function ours(): ConfigHarness {
    const harness = new ConfigHarness(folder.path)
    harness.load({
      options: `enable-protected-configs yes\nsave ""\nport ${real.port}\nbind 127.0.0.1`,
    })
    return harness
  }

  test('every parameter has the default value', async () => {
    const harness = new ConfigHarness(folder.path)
    const theirs = decodeReply(await client.call('CONFIG', 'GET', '*')) as string[]
    const mine = decodeReply(await harness.call('CONFIG', 'GET', '*')) as string[]
    const table = (flat: string[]) => {
      const pairs = new Map<string, string>()
      for (let i = 0; i < flat.length; i += 2) if (!STARTED_WITH.has(flat[i]!)) pairs.set(flat[i]!, flat[i + 1]!)
      return pairs
    }
    expect(table(mine).size).toBe(187)
    expect(Object.fromEntries(table(mine))).toEqual(Object.fromEntries(table(theirs)))
    for (const [name, { hidden }] of ALL) {
      if (hidden)
        expect(await harness.text('CONFIG', 'GET', name)).toBe((await client.call('CONFIG', 'GET', name)).toString())
    }
    const defaults = { port: '6379', bind: '* -::*', dir: folder.path, save: '3600 1 300 100 60 10000' }
    for (const [name, value] of Object.entries(defaults))
      expect(harness.store.format(name as ParameterName)).toBe(value)
    expect(harness.store.format('enable-protected-configs')).toBe('no')
  })

  test('CONFIG SET of every parameter takes and refuses the same values, with the same replies', async () => {
    const harness = ours()
    let compared = 0
    for (const name of NAMES) {
      if (NOT_TRIED[name] !== undefined || isDeclaredGap(name)) continue
      const original = decodeReply(await client.call('CONFIG', 'GET', name)) as string[]
      const commands = VALUES.flatMap((value) => [
        ['CONFIG', 'SET', name, bytes(value)],
        ['CONFIG', 'GET', name],
      ])
      const theirs = await client.pipeline(commands).catch((error: unknown) => {
        throw new Error(`${name}: ${error}\n${real.log.slice(-2000)}`)
      })
      for (const [index, command] of commands.entries()) {
        const mine = await harness.call(...(command as (string | Uint8Array)[]))
        const shown = `${name} ${JSON.stringify(VALUES[index >> 1])} ${command[1]}: `
        expect(shown + mine.toString('latin1')).toBe(shown + theirs[index]!.toString('latin1'))
        compared++
      }
      for (const side of [client, harness]) await side.call('CONFIG', 'SET', name, original[1]!)
    }
    expect(compared).toBeGreaterThan(50_000)
  }, 300_000)

  test('parameters that ours does not support yet: the default is taken, anything else refused with a reason', async () => {
    const harness = ours()
    const gaps = ALL.filter(([, { notYet }]) => notYet !== undefined)
    expect(gaps.map(([name]) => name).sort()).toEqual([
      'aclfile',
      'cluster-enabled',
      'socket-mark-id',
      'syslog-enabled',
      'tls-cluster',
      'tls-port',
      'tls-replication',
    ])
    const other: Readonly<Record<string, string>> = {
      'tls-port': '7000',
    }
    for (const [name, { immutable, notYet }] of gaps) {
      // What is no value at all is refused in Redis's words.
      expect(await harness.text('CONFIG', 'SET', name, 'abc')).toBe(
        (await client.call('CONFIG', 'SET', name, 'abc')).toString(),
      )
      if (immutable) continue
      expect(await harness.text('CONFIG', 'SET', name, harness.store.format(name))).toBe('+OK\r\n')
      expect(await harness.text('CONFIG', 'SET', name, other[name] ?? 'yes')).toBe(
        `-ERR CONFIG SET failed (possibly related to argument '${name}') - ${notYet}\r\n`,
      )
    }
  })

  test('tables for parameters that depend on the machine', async () => {
    const harness = ours()
    const table: [string, string[]][] = [
      ['maxclients', ['0', '-1', 'abc', '4294967296', '1.5', '', '100', '4294967295000']],
      [
        'oom-score-adj-values',
        ['', '1', '1 2', '1 2 3 4', '0 0 2001', '0 0 -2001', 'a b c', '1 2 3x', '10 20 30', '0  1 2'],
      ],
      ['oom-score-adj', ['', 'maybe', 'no', 'no no']],
      ['timeout', ['-1', 'abc', '2147483648', '100', '0']],
      ['watchdog-period', ['-1', 'abc', '2147483648', '0']],
      ['port', ['-1', '65536', 'abc', '', String(real.port)]],
      ['bind', [Array.from({ length: 17 }, (_, i) => `127.0.0.${i + 1}`).join(' '), '127.0.0.1']],
    ]
    for (const [name, values] of table) {
      for (const value of values) {
        for (const command of [
          ['CONFIG', 'SET', name, value],
          ['CONFIG', 'GET', name],
        ]) {
          expect([command, await harness.text(...command)]).toEqual([
            command,
            (await client.call(...command)).toString(),
          ])
        }
      }
    }
  })

  test('several at once: order of errors, all or nothing', async () => {
    const harness = ours()
    const sets: string[][] = [
      ['maxmemory', '10mb', 'hz', '20'],
      ['maxmemory', '11mb', 'hz', 'x'],
      ['maxmemory', '12mb', 'nosuch', '1', 'daemonize', 'yes'],
      ['daemonize', 'yes', 'nosuch', '1'],
      ['maxmemory', '1', 'maxmemory', '2'],
      ['MAXMEMORY', '1', 'maxmemory', '2'],
      ['slave-priority', '7', 'replica-priority', '8'],
      ['replica-priority', '9', 'slave-priority', 'x'],
      ['hz', 'x', 'hz', '1'],
      ['hz', 'x', 'daemonize', '1'],
      ['hz'],
      ['hz', '1', 'port'],
      ['a\r\nb', '1'],
      ['a\0b', '1'],
      ['hz', '30', 'latency-tracking-info-percentiles', '1 2 x'],
      ['save', '100 1', 'client-output-buffer-limit', 'normal 1gb 1gb 1 x 1 1 1'],
      ['dir', '/no/such/place'],
      ['dir', '/dev/null'],
      ['dir', ''],
      ['dir', '/'],
      ['dir', 'dev/..//dev'],
      ['dir', folder.path],
      ['dbfilename', 'a/b'],
      ['dbfilename', 'x.rdb', 'save', '1 1 1'],
    ]
    for (const args of sets) {
      for (const command of [
        ['CONFIG', 'SET', ...args],
        ...[
          'maxmemory',
          'hz',
          'replica-priority',
          'save',
          'dir',
          'dbfilename',
          'latency-tracking-info-percentiles',
          'client-output-buffer-limit',
        ].map((name) => ['CONFIG', 'GET', name]),
      ]) {
        expect([command, await harness.text(...command)]).toEqual([
          command,
          (await client.call(...command)).toString('latin1'),
        ])
      }
    }
    for (const side of [client, harness]) await side.call('CONFIG', 'SET', 'save', '', 'maxmemory', '0')
  })

  test('CONFIG GET: patterns, aliases, hidden parameters, case, no doubles', async () => {
    const harness = ours()
    for (const [name, { immutable }] of ALL) {
      if (immutable || name === 'port' || name === 'bind' || name === 'tls-port') continue
      const reply = await client.call('CONFIG', 'SET', name, harness.store.format(name))
      expect(name + reply.toString()).toBe(`${name}+OK\r\n`)
    }
    const requests = [
      ['*'],
      ['*max-*-entries'],
      ['*ZIPLIST*'],
      ['hash-max-ziplist-entries'],
      ['slave*', 'replica*'],
      ['HZ', 'hz', 'h[a-z]'],
      ['h?', 'Hz'],
      ['key-load-delay', 'Key-Load-*', 'use-exit-on-panic'],
      ['nosuch', 'no[such', '['],
      ['maxmemory', 'maxmemory*', 'bind', '*of'],
      ['tls-[pk]*', '^tls', 'tls-port\\'],
      ['\\save', 's\\ave*', '[s]ave'],
      [''],
      ['h\0z', 'hz\0'],
    ]
    for (const patterns of requests) {
      const pairs = async (side: RespClient | ConfigHarness) => {
        const flat = decodeReply(await side.call('CONFIG', 'GET', ...patterns)) as string[]
        return flat.flatMap((name, i) => (i % 2 === 0 ? [`${name}=${flat[i + 1]}`] : [])).sort()
      }
      expect([patterns, await pairs(harness)]).toEqual([patterns, await pairs(client)])
    }
    expect(await harness.text('CONFIG', 'HELP')).toBe((await client.call('CONFIG', 'HELP')).toString())
    for (const wrong of [
      ['CONFIG', 'GET'],
      ['CONFIG', 'SET', 'hz'],
      ['CONFIG', 'NOPE'],
      ['CONFIG'],
      ['CONFIG', 'REWRITE'],
      ['CONFIG', 'REWRITE', 'x'],
      ['CONFIG', 'RESETSTAT', 'x'],
    ]) {
      expect(await harness.text(...wrong)).toBe((await client.call(...wrong)).toString())
    }
  })
})

describe.skipIf(!hasRedisServer())('files and command lines beside redis-server', () => {
  let folder: TemporaryFolder
  beforeAll(() => {
    folder = new TemporaryFolder()
    mkdirSync(folder.join('conf.d'))
    mkdirSync(folder.join('empty.d'))
    writeFileSync(folder.join('good.conf'), 'maxmemory 1mb\n')
    writeFileSync(folder.join('bad.conf'), 'hz 5\n\nport nope # what\n')
    writeFileSync(folder.join('includes-bad.conf'), '# first\ninclude good.conf\n include bad.conf\nhz 20\n')
    writeFileSync(folder.join('includes-missing.conf'), 'include nowhere.conf\n')
    writeFileSync(folder.join('includes-glob.conf'), `include ${folder.path}/conf.d/*.conf\nbogus\n`)
    writeFileSync(folder.join('includes-nothing.conf'), `include ${folder.path}/empty.d/*.conf\nbogus\n`)
    writeFileSync(folder.join('conf.d/1.conf'), 'hz 50\n')
    writeFileSync(folder.join('conf.d/2.conf'), 'hz 60\nloglevel loud\n')
    writeFileSync(folder.join('conf.d/.hidden.conf'), 'bogus in hidden\n')
  })
  afterAll(() => folder[Symbol.dispose]())

  interface Refused {
    readonly stderr: string
    readonly logLine: string | null
    readonly code: number | null
  }

  function refusedByRedis(args: readonly string[], input: string): Refused {
    const run = spawnSync(serverProgram('redis'), args, {
      cwd: folder.path,
      input: bytes(input),
      timeout: 3000,
      encoding: 'latin1',
    })
    const fatal = /# (Fatal error.*)$/m.exec(run.stdout)
    return { stderr: run.stderr, logLine: fatal === null ? null : fatal[1]!, code: run.status }
  }

  function refusedByOurs(args: readonly string[], input: string): Refused {
    const parsed = parseArguments(args, folder.path)
    if (parsed.kind !== 'run') throw new Error('nothing to run')
    const { configFile, options, readsStandardInput } = parsed
    try {
      new ConfigHarness(folder.path).load({
        file: configFile,
        options,
        standardInput: readsStandardInput ? input : null,
      })
    } catch (error) {
      if (!(error instanceof ConfigFileError)) throw error
      return { stderr: error.block ?? '', logLine: error.logLine, code: 1 }
    }
    throw new Error(`nothing wrong with ${JSON.stringify(args)}`)
  }

  const LINES = [
    'port',
    'port abc',
    'port "6379" "6380"',
    'port 99999',
    '  PORT   -1\t ',
    'bogus',
    'bogus yes',
    '#x\n\n\r\nbogus "quoted \\x41 \\n"',
    'save 900 1\nsave 900',
    'save 1 2 3',
    "save '1 2 3'",
    'requirepass "unbalanced',
    "requirepass 'x'y",
    'dir /no/such/place',
    'dir /dev/null',
    'dir',
    'logfile /no/such/place/log',
    'logfile /no/such/place/log\nbogus',
    'include',
    'include a b',
    'rename-command nosuch x',
    'rename-command get',
    'rename-command',
    'user',
    'loadmodule',
    'some.param',
    'sentinel monitor',
    'daemonize maybe',
    'loglevel loud',
    'unixsocketperm 888',
    'unixsocketperm 1000',
    'shutdown-on-sigint',
    'shutdown-on-sigint save nosave',
    'shutdown-on-sigint "now what"',
    'client-output-buffer-limit normal 0 0',
    'client-output-buffer-limit\nbogus',
    'client-output-buffer-limit foo 0 0 0',
    'bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17',
    'replicaof no two',
    'replicaof 127.0.0.1',
    'replicaof 127.0.0.1 70000',
    'slaveof 127.0.0.1 x',
    'oom-score-adj-values 1 2',
    'notify-keyspace-events Q',
    'latency-tracking-info-percentiles 101',
    'appendfilename ""',
    'appenddirname a/b',
    'cluster-announce-hostname under_score',
    'proc-title-template "{nope}"',
    'hz 10\nhz 20 30',
    'lua-replicate-commands',
    'lua-replicate-commands yes\nlist-max-ziplist-entries 3\nbogus',
    'list-max-ziplist-value 1 2',
    'maxmemory 1tb\0 hidden\nbogus',
    'maxmemory caf\xe9',
  ]

  const COMMAND_LINES = [
    ['--port'],
    ['--port', '6380', '--loglevel'],
    ['--port', '6379', '6380'],
    ['--port', '--loglevel', 'verbose'],
    ['--port', '--bla', '--loglevel', 'verbose'],
    ['--logfile', '--my--log--file', '--loglevel', '--bla'],
    ['--shutdown-on-sigint'],
    ['--shutdown-on-sigint', 'now force', '--shutdown-on-sigterm'],
    ['--replicaof', '127.0.0.1', 'abc'],
    ['--replicaof', '--127.0.0.1', 'abc'],
    ['--replicaof', '--127.0.0.1', '--abc'],
    ['--save', '--bogus'],
    ['--save', '--bogus', '1'],
    ['--bogus', '--save'],
    ['--port 1', '--bogus x'],
    ['--port 1 2'],
    ['--port', ' 1'],
    ['--', 'x'],
    ['-x'],
    ['-', '-x'],
    ['-x', '-'],
    ['--port', '-'],
    ['--port', '-', '--bogus'],
    ['--dir', 'caf\u00e9'],
    ['--requirepass', 'a"b\\c\n', '--bogus', 'x y'],
    ['--hz "1'],
    ['--hz', '1\nbogus'],
    ['good.conf', '--bogus'],
    ['good.conf', 'bogus'],
    ['bad.conf', '--hz', '10'],
    ['./bad.conf'],
    ['../' + 'x'.repeat(3)],
    [' bad.conf '],
    ['conf.d/*.conf'],
    ['conf.d/[2].conf', '--hz', '1'],
    ['conf.d', '--bogus'],
    ['nowhere.conf'],
    ['includes-bad.conf'],
    ['includes-missing.conf'],
    ['includes-glob.conf'],
    ['includes-nothing.conf'],
    ['', '--bogus'],
  ]

  test.each(LINES)('configuration %j is refused in the same words', (text) => {
    expect(refusedByOurs(['-'], text)).toEqual(refusedByRedis(['-'], text))
  })

  test.each(COMMAND_LINES.map((args) => [args]))('command line %j is refused in the same words', (args) => {
    const input = 'hz 7\n'
    expect(refusedByOurs(args, input)).toEqual(refusedByRedis(args, input))
  })

  const GOOD: [string, readonly string[], string][] = [
    ['empty save', ['--save', '--loglevel', 'verbose'], ''],
    ['empty save at the end', ['--loglevel', 'verbose', '--save'], ''],
    ['save given empty', ['--save', '', '--loglevel', 'verbose'], ''],
    ['save in several ways', ['--save', '100', '1', '--save', '200 2', '--save', '300 3 400 4'], ''],
    ['save added to', ['-', '--save', '100', '100'], 'save 900 1\nsave 300 10 60 1'],
    ['save emptied', ['-', '--save', ''], 'save 900 1'],
    ['save emptied and filled', ['-'], 'save 900 1\nsave ""\nsave 1 1'],
    ['save around an include', ['-'], 'save 900 1\ninclude good.conf\nsave 800 1\nsave 700 1'],
    ['values like options', ['--proc-title-template', '--my--title--template', '--loglevel', 'verbose'], ''],
    ['name and value together', ['--maxmemory 700mb', "--maxmemory-policy 'volatile-lru'"], ''],
    ['flags', ['--shutdown-on-sigint', 'nosave', 'force', 'now', '--shutdown-on-sigterm', 'nosave force'], ''],
    ['quotes', ['-', '--requirepass', 'a b"c\\'], 'masterauth "x\\x41\\n\\"y"\nmasteruser \'it\\\'s\''],
    ['aliases', ['-'], 'hash-max-ziplist-entries 7\nslave-priority 3\nlua-time-limit 5'],
    ['out of range hz', ['--hz', '9999'], ''],
    ['zero hz', ['--hz', '0'], ''],
    [
      'limits',
      ['-'],
      'client-output-buffer-limit normal 1mb 1kb 5 replica 0 0 0\nclient-output-buffer-limit "pubsub 1 2 3"',
    ],
    [
      'none bound but a file',
      ['-'],
      'notify-keyspace-events KEA\nlatency-tracking-info-percentiles 1 2.5\noom-score-adj-values "1 2 3"',
    ],
    ['a file', ['good.conf'], ''],
    ['wrong order of precedence', ['good.conf', '--maxmemory', '3mb', '-'], 'maxmemory 2mb'],
    ['directory change', ['--dir', 'conf.d'], ''],
    ['directory change before an include', ['-'], 'dir conf.d\ninclude 1.conf'],
    ['nothing but obsolete', ['-'], 'lua-replicate-commands yes\nsentinel\n\n'],
  ]

  test.each(GOOD)('accepted alike: %s', async (_title, args, input) => {
    const socket = folder.join('good.sock')
    const own = ['--port', '0', '--unixsocket', socket]
    // A "-" has to stay last, or first.
    const all = args.at(-1) === '-' && args.length > 1 ? [...args.slice(0, -1), ...own, '-'] : [...args, ...own]
    const parsed = parseArguments(all, folder.path)
    if (parsed.kind !== 'run') throw new Error('nothing to run')
    const harness = new ConfigHarness(folder.path)
    harness.load({
      file: parsed.configFile,
      options: parsed.options,
      standardInput: parsed.readsStandardInput ? input : null,
    })
    const theirs = await withRedis(all, input, folder.path, socket, async (client) => {
      const { requirepass } = harness.store.fields
      if (requirepass !== '') await client.call('AUTH', bytes(requirepass))
      return configOf(client)
    })
    const mine = await configOf(harness)
    expect(mine).toEqual(theirs)
  })
})

/** Runs redis-server with exactly these arguments while `use` talks to it over its unix socket. */
async function withRedis<T>(
  args: readonly string[],
  input: string,
  cwd: string,
  socket: string,
  use: (client: RespClient) => Promise<T>,
): Promise<T> {
  const child = spawn(serverProgram('redis'), args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = new Promise((resolve) => child.once('close', resolve))
  try {
    child.stdin.end(bytes(input))
    let log = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        log += chunk.toString()
        if (/now ready to accept connections/i.test(log)) resolve()
      })
      child.once('exit', () => reject(new Error(log)))
    })
    const client = await RespClient.connect({ path: socket })
    try {
      return await use(client)
    } finally {
      client.end()
    }
  } finally {
    child.kill('SIGKILL')
    await closed
  }
}

async function configOf(side: RespClient | ConfigHarness): Promise<Record<string, string>> {
  const flat = decodeReply(await side.call('CONFIG', 'GET', '*')) as string[]
  const pairs: Record<string, string> = {}
  for (let i = 0; i < flat.length; i += 2) pairs[flat[i]!] = flat[i + 1]!
  return pairs
}

describe.skipIf(!hasRedisServer())('CONFIG REWRITE beside redis-server', () => {
  const FILES: [title: string, content: string, sets: string[]][] = [
    ['an empty file', '', []],
    ['a comment without line end', '# hello', ['hz', '20']],
    [
      'in place, blank lines and comments kept',
      '# one\n\n\n\nhz 10\n  # two\nmaxmemory 1gb\n\ntimeout 0\n',
      ['hz', '30', 'maxmemory', '1536kb'],
    ],
    ['superfluous lines', 'save 900 1\nsave 300 10\nsave 60 1\nhz 1\nhz 2\nhz 3\n\nport 0\nport 0\n', ['save', '5 5']],
    ['save emptied', 'save 900 1\nsave 300 10\n', ['save', '']],
    ['aliases become names', 'slave-priority 50\nhash-max-ziplist-value 32\n', ['replica-priority', '60']],
    [
      'unknown lines become comments',
      'requirepass foo\nlist-max-ziplist-entries 3\nlua-replicate-commands yes\n',
      ['hz', '11'],
    ],
    ['an included file stays', 'include inc.conf\nhz 12\n', ['maxmemory', '1']],
    [
      'the signature is not repeated',
      'hz 12\n# Generated by CONFIG REWRITE\nmaxmemory 5\n',
      ['hz', '13', 'timeout', '9999'],
    ],
    [
      'values that need quotes',
      'requirepass x\nmasteruser "a b"\n',
      ['requirepass', 'a"b\\c\n\xff', 'masterauth', ' ', 'ignore-warnings', 'ARM64-COW-BUG'],
    ],
    [
      'values that go away',
      'requirepass foo\nreplica-announce-ip 1.2.3.4\nreplica-announce-ip 1.2.3.5\n',
      ['requirepass', '', 'replica-announce-ip', ''],
    ],
    ['upper case and spaces', '  HZ   15  \r\n\tMAXMEMORY 3mb\n', ['hz', '16']],
    [
      'special ones',
      'notify-keyspace-events Kx\nclient-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit slave 1 2 3\noom-score-adj-values 1 2 3\nbind 127.0.0.1\n',
      [
        'notify-keyspace-events',
        '',
        'client-output-buffer-limit',
        'pubsub 1mb 1025 7 normal 0 0 0',
        'latency-tracking-info-percentiles',
        '',
      ],
    ],
    [
      'everything set',
      '',
      [
        'shutdown-on-sigterm',
        'nosave now',
        'maxmemory',
        '10gb',
        'maxmemory-policy',
        'allkeys-lfu',
        'appendfsync',
        'no',
        'proto-max-bulk-len',
        '1048577',
        'latency-tracking-info-percentiles',
        '50 99.99',
        'lazyfree-lazy-user-del',
        'yes',
        'proc-title-template',
        '{title} "x"',
        'repl-backlog-size',
        '2mb',
        'list-max-listpack-size',
        '-5',
        'tls-ciphers',
        'x y',
        'dbfilename',
        'other.rdb',
        'hll-sparse-max-bytes',
        '2000',
      ],
    ],
    ['two rounds', '# c\nhz 10\n\n', ['hz', '20', 'timeout', '7']],
    [
      'multi value in one argument',
      'save "900 1 300 10"\nbind "127.0.0.1"\nshutdown-on-sigint "now force"\n',
      ['save', '1 2 3 4 5 6'],
    ],
    [
      'numbers in other notations',
      'unixsocketperm 0777\nmaxmemory 1000000k\nrepl-backlog-size 1048576\n',
      ['hz', '10'],
    ],
  ]

  test.each(FILES)('%s', async (title, content, sets) => {
    using folder = new TemporaryFolder()
    const theirs = folder.join('theirs.conf')
    const mine = folder.join('mine.conf')
    writeFileSync(folder.join('inc.conf'), 'timeout 99\n')
    const socket = folder.join('s')
    // These lines make the real server reachable; ours reads them too.
    const common = `port 0\nunixsocket ${socket}\nenable-protected-configs yes\n`
    for (const path of [theirs, mine]) writeFileSync(path, bytes(common + content))
    const harness = new ConfigHarness(folder.path)
    harness.load({ file: mine })
    await withRedis([theirs], '', folder.path, socket, async (client) => {
      const { requirepass } = harness.store.fields
      if (requirepass !== '') await client.call('AUTH', bytes(requirepass))
      const rounds = title === 'two rounds' ? 2 : 1
      for (let round = 0; round < rounds; round++) {
        for (const side of [client, harness]) {
          if (sets.length === 0) continue
          expect((await side.call('CONFIG', 'SET', ...sets.map(bytes))).toString()).toBe('+OK\r\n')
        }
        expect((await client.call('CONFIG', 'REWRITE')).toString()).toBe('+OK\r\n')
        const written = readFileSync(theirs, 'latin1')
        // Ours has no access control list; its lines come from outside.
        harness.extras = { users: written.match(/^user .*$/gm) ?? [], modules: [] }
        expect(harness.extras.users.length).toBe(1)
        expect(await harness.text('CONFIG', 'REWRITE')).toBe('+OK\r\n')
        expect(comparable(readFileSync(mine, 'latin1'))).toEqual(comparable(written))
      }
    })
  })

  /** Redis appends lines in the order of a hash table with a random seed: what stands below the signature is sorted. */
  function comparable(text: string): { kept: string; added: string[] } {
    const at = text.indexOf('# Generated by CONFIG REWRITE')
    return { kept: text.slice(0, at), added: text.slice(at).split('\n').sort() }
  }
})
