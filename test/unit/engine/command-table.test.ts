import { expect, test } from 'vitest'
import { Argv } from '../../../src/base/argv.ts'
import { type Command, defineCommand } from '../../../src/engine/command.ts'
import { CommandTable } from '../../../src/engine/command-table.ts'
import { FAST } from '../../../src/engine/flags.ts'
import { builtInCommands } from '../../../src/server/built-in-commands.ts'

function named(name: string): Command {
  return defineCommand({
    name,
    arity: -1,
    flags: FAST,
    doc: { group: 'generic', since: '1.0.0', complexity: 'O(1)', summary: 'For this test.' },
    run: (_ctx, _argv, reply) => reply.ok(),
  })
}

function found(table: CommandTable, name: string): string | null {
  return table.lookup(Argv.of([name]))?.command.name ?? null
}

test('every command is found by its name in any case, and nothing else is', () => {
  const table = new CommandTable(builtInCommands(null))
  for (const { command } of table.entries()) {
    const { name } = command
    const mixed = [...name].map((letter, i) => (i % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())).join('')
    for (const spelled of [name.toUpperCase(), name.toLowerCase(), mixed]) expect(found(table, spelled)).toBe(name)
    for (const other of [`${name}x`, name.slice(1), name.slice(0, -1), `${name}\0`, ` ${name}`]) {
      const expected = table.byFullName(other)?.command.name ?? null
      if (!other.includes('|')) expect(found(table, other)).toBe(expected)
    }
  }
  expect(found(table, '')).toBe(null)
})

test('names that differ only where the hash does not look, or in what is no letter, are told apart', () => {
  const names = ['a', 'ab', 'abcdefgh', 'abxdefgh', 'abxdezgh', 'x-y', 'x_y', 'n1', 'nQ']
  const table = new CommandTable(names.map(named))
  for (const name of names) expect(found(table, name)).toBe(table.byFullName(name)!.command.name)
  // 32 below or above a character that is no letter is another character.
  for (const name of ['x\ry', 'n\x11', 'a\x02', 'x\x7fy']) expect(found(table, name)).toBe(null)
  expect(found(table, 'X-Y')).toBe(table.byFullName('x-y')!.command.name)
})

test('a name can be taken away and given to another command', () => {
  const table = new CommandTable([named('one'), named('two')])
  table.rename('one', 'three')
  expect(found(table, 'ONE')).toBe(null)
  expect(found(table, 'Three')).toBe('one')
  expect(table.remove('two')).toBe(true)
  expect(found(table, 'two')).toBe(null)
})
