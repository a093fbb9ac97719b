/** DEBUG PROTOCOL and ERROR: a value of each kind, for those who write clients. */
import type { ReplyWriter } from '../../../resp/reply-writer.ts'
import type { DebugSubcommand } from './arguments.ts'

const SAMPLES: Readonly<Record<string, (reply: ReplyWriter) => void>> = {
  string: (reply) => reply.bulkText('Hello World'),
  integer: (reply) => reply.integer(12345),
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: it is Redis's sample, not pi.
  double: (reply) => reply.double(3.141),
  bignum: (reply) => reply.bigNumber('1234567999999999999999999999999999999'),
  null: (reply) => reply.null(),
  array(reply) {
    reply.array(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  set(reply) {
    reply.set(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  map(reply) {
    reply.map(3)
    for (let i = 0; i < 3; i++) {
      reply.integer(i)
      reply.boolean(i === 1)
    }
  },
  attrib(reply) {
    if (reply.protocol === 3) {
      reply.attribute(1)
      reply.bulkText('key-popularity')
      reply.array(2)
      reply.bulkText('key:123')
      reply.integer(90)
    }
    // An attribute comes with a reply.
    reply.bulkText('Some real reply following the attribute')
  },
  push(reply) {
    if (reply.protocol < 3) return reply.errorText('ERR RESP2 is not supported by this command')
    reply.push(2)
    reply.bulkText('server-cpu-usage')
    reply.integer(42)
    // A push is no reply, and clients wait for one.
    reply.bulkText('Some real reply following the push reply')
  },
  verbatim: (reply) => reply.verbatim('This is a verbatim\nstring', 'txt'),
  true: (reply) => reply.boolean(true),
  false: (reply) => reply.boolean(false),
}

export const protocol: DebugSubcommand = {
  name: 'PROTOCOL',
  countMin: 3,
  countMax: 3,
  help: [
    'PROTOCOL <type>',
    '    Reply with a test value of the specified type. <type> can be: string,',
    '    integer, double, bignum, null, array, set, map, attrib, push, verbatim,',
    '    true, false.',
  ],
  run(_server, _ctx, argv, reply) {
    const kind = argv.latin1(2).toLowerCase()
    if (Object.hasOwn(SAMPLES, kind)) return SAMPLES[kind]!(reply)
    reply.errorText(
      'ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false',
    )
  },
}

export const error: DebugSubcommand = {
  name: 'ERROR',
  countMin: 3,
  countMax: 3,
  help: [
    'ERROR <string>',
    '    Return a Redis protocol error with <string> as message. Useful for clients',
    '    unit tests to simulate Redis errors.',
  ],
  run(_server, _ctx, argv, reply) {
    // Sent as it is: no error that the server made, so none that it counts.
    const text = argv.latin1(2).replace(/[\r\n]/g, ' ')
    reply.raw(Buffer.from(`-${text}\r\n`, 'latin1'))
  },
}
