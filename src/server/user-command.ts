/**
 * Commands that others wrote. Their declaration may be plain or made by another copy of this library; and a handler that
 * answers nothing, after which every reply would belong to the request before, is noticed at once.
 */
import { assert } from '../base/assert.ts'
import { type Command, type CommandDefinition, defineCommand, type Handler } from '../engine/command.ts'
import { BLOCKED } from '../engine/session.ts'

/** Throws a TypeError that says what is wrong with the declaration. */
export function userCommand(definition: CommandDefinition): Command {
  return defineCommand(checked(defineCommand(definition)))
}

function checked(command: Command): CommandDefinition {
  const { run, subcommands, fullName } = command
  return {
    ...command,
    ...(run === undefined ? {} : { run: checkedRun(fullName, run) }),
    subcommands: subcommands.map(checked),
  }
}

function checkedRun(name: string, run: Handler): Handler {
  return (ctx, argv, reply) => {
    const before = reply.pendingBytes
    run(ctx, argv, reply)
    assert(reply.pendingBytes > before || ctx.has(BLOCKED), `the handler of command '${name}' wrote no reply`)
  }
}
