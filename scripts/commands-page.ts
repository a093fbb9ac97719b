/** The page of all commands, as Markdown. */
import type { Command } from '../src/engine/command.ts'
import { COMMAND_GROUPS, DetailReader } from '../src/engine/docs/detail-tables.ts'
import { formatSyntax, parseGrammar } from '../src/engine/docs/grammar.ts'
import { FLAG_NAMES } from '../src/engine/flags.ts'

export function commandsPage(commands: readonly Command[]): string {
  const details = new DetailReader()
  // A container that does nothing by itself stands there by its subcommands alone.
  const all = commands.flatMap((command) => [...(command.run === undefined ? [] : [command]), ...command.subcommands])
  const groups = [...new Set([...COMMAND_GROUPS, ...all.map(({ doc }) => doc.group)])]
  const sections = groups.flatMap((group) => {
    const members = all.filter(({ doc }) => doc.group === group)
    const entries = members
      .map((command) => ({ name: command.fullName, text: describe(command, details) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ text }) => text)
    return entries.length === 0 ? [] : [`## ${group}\n\n${entries.join('\n')}`]
  })
  return `# Commands

<!-- Written by \`npm run docs\` from the declarations of the commands. -->

Commands and subcommands: ${all.length}. Each entry has the syntax, what the command does, the Redis version that it
appeared in, its cost, and its flags as \`COMMAND INFO\` tells them.

${sections.join('\n')}`
}

function describe(command: Command, details: DetailReader): string {
  const { doc, flags, fullName } = command
  const { arguments: grammar, history, deprecated, isInternal } = details.of(command)
  const flagNames = FLAG_NAMES.filter(([bit]) => flags & bit).map(([, name]) => name)
  const facts = [
    `since ${doc.since}`,
    ...(doc.complexity === undefined ? [] : [doc.complexity]),
    ...(flagNames.length === 0 ? [] : [flagNames.join(', ')]),
    ...(isInternal ? ['internal'] : []),
    ...(deprecated === undefined ? [] : [`deprecated since ${deprecated.since}: use ${deprecated.replacedBy}`]),
  ]
  const lines = [
    `### ${fullName.replace('|', ' ').toUpperCase()}`,
    '',
    '```',
    formatSyntax(fullName, parseGrammar(grammar ?? '')),
    '```',
    '',
    `${doc.summary}  `,
    `${facts.join(' · ')}`,
    '',
    ...(history === undefined
      ? []
      : [...history.map(([version, change]) => `- ${version}: ${change.replace(/^New: /, 'new ')}`), '']),
  ]
  return lines.join('\n')
}
