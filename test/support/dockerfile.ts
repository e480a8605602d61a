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
    const instruction = read(line)
    if (instruction.name === 'FROM') stages.push({ ...baseOf(instruction.text), instructions: [] })
    else stages.at(-1)?.instructions.push(instruction)
  }
  return stages
}
function read(line: string): Instruction {
  const [name = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line)?.slice(1) ?? []
  if (name === '') throw new Error(`This is no instruction of a Dockerfile: ${line}`)
  return { name, text, words: wordsOf(text) }
}
function baseOf(text: string): { image: string; name: string } {
  const [image = '', name = ''] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(text)?.slice(1) ?? []
  return { image, name }
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
