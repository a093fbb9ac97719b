/**
 * What only COMMAND DOCS, COMMAND INFO and the generated docs page ask for: argument grammar, history, tips. Users'
 * commands hold it in their `doc`; for the built-in ones it stands in one table per group beside this file, made when
 * somebody asks and not kept. Versions, tips and arguments are facts of the Redis command tables.
 */

/** For clients and proxies: how the reply varies, and how a cluster proxy sends the request and joins the replies. */
export type Tip =
  | 'nondeterministic_output'
  | 'nondeterministic_output_order'
  | `request_policy:${'all_nodes' | 'all_shards' | 'multi_shard' | 'special'}`
  | `response_policy:${'one_succeeded' | 'all_succeeded' | 'agg_logical_and' | 'agg_logical_or' | 'agg_min' | 'agg_max' | 'agg_sum' | 'special'}`

export interface CommandDetails {
  /** The arguments after the command's name, see grammar.ts. */
  readonly arguments?: string
  readonly history?: readonly (readonly [version: string, change: string])[]
  readonly tips?: readonly Tip[]
  readonly deprecated?: { readonly since: string; readonly replacedBy: string }
  /** For servers among themselves, not for users. */
  readonly isInternal?: boolean
  /** A remark for each key spec, in their order. */
  readonly keyNotes?: readonly (string | null)[]
}

/** Details by full name in lower case: "set", "config|get". */
export type DetailTable = Readonly<Record<string, CommandDetails>>
