// The GSM 03.38 default alphabet with its extension table: one character to its septets, and septets (one in a byte) back to text.

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'

const EXTENSION: ReadonlyMap<number, string> = new Map([
  [0x0a, '\f'],
  [0x14, '^'],
  [0x28, '{'],
  [0x29, '}'],
  [0x2f, '\\'],
  [0x3c, '['],
  [0x3d, '~'],
  [0x3e, ']'],
  [0x40, '|'],
  [0x65, '€'],
])

const ESCAPE = 0x1b

const septets: ReadonlyMap<string, readonly number[]> = new Map([
  ...Array.from(BASIC, (char, code): [string, readonly number[]] => [char, [code]]).filter(
    ([, [code]]) => code !== ESCAPE,
  ),
  ...[...EXTENSION].map(([code, char]): [string, readonly number[]] => [char, [ESCAPE, code]]),
])

/** The one or two septets of a character; undefined when the alphabet does not have it. */
export const gsm7Of = (char: string): readonly number[] | undefined => septets.get(char)

/** Text of unpacked septets. What the tables do not have becomes U+FFFD; an unknown escape shows its plain character, as phones do. */
export function decodeGsm7(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes[at] ?? 0
    if (code !== ESCAPE) {
      text += BASIC[code] ?? '\ufffd'
      continue
    }
    const escaped = bytes[++at]
    if (escaped !== undefined) text += EXTENSION.get(escaped) ?? BASIC[escaped] ?? '\ufffd'
  }
  return text
}
