/** A line of INFO. */
export type Field = readonly [name: string, value: string | number]

/** What users may choose, such as names of errors, without the characters that give INFO its form. */
export function safeName(name: string): string {
  return name.replace(/[#:\n\r]/g, '_')
}
