// Reads a Dockerfile: its stages with their instructions, in order. Enough of the language for ours.

export interface Instruction {
  /** In capitals: FROM, COPY, RUN … */
  readonly name: string
  readonly text: string
  /** The words of an array in brackets, if the text ends with one. */
  readonly words: readonly string[] | null
}
export interface Stage {
  /** Empty: it has no name. */
  readonly name: string
  readonly image: string
  readonly instructions: readonly Instruction[]
}

export function readDockerfile(text: string): Stage[] {
  const stages: { name: string; image: string; instructions: Instruction[] }[] = []
  for (const line of joined(text)) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/s.exec(line) ?? []
    if (name === '') throw new Error(`This is no instruction of a Dockerfile: ${line}`)
    const [, image = '', stage = ''] = (name === 'FROM' && /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(rest)) || []
    if (name === 'FROM') stages.push({ name: stage, image, instructions: [] })
    else stages.at(-1)?.instructions.push({ name, text: rest, words: wordsOf(rest) })
  }
  return stages
}

/** One line for each instruction, without comments. */
const joined = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

function wordsOf(text: string): string[] | null {
  const array = /(\[.*\])$/.exec(text)?.[1]
  return array === undefined ? null : (JSON.parse(array) as string[])
}
