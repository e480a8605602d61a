// Recipients cut into slices, so that several carriers can divide them: the same recipient lies in the same slice for ever.
import type { Address } from './participant'

export const SLICES = 1024

const { imul } = Math

/** From 0 up to `SLICES`, and kept with each delivery: who changes this moves recipients, which costs no order. */
export const sliceOf = ({ channel, account, refId }: Address): number =>
  hash(JSON.stringify([channel, account, refId])) % SLICES

/**
 * Whose each slice is: it belongs to whoever weighs most in it, so that one who comes takes an even part of what the
 * others have, and one who goes leaves theirs alone. Everybody who knows the same names divides alike.
 * @param names of all who divide, each once, at least one
 */
export function ownersOf(names: readonly string[]): readonly string[] {
  const known = [...names].sort().map((name) => ({ name, hash: hash(name) }))
  return Array.from({ length: SLICES }, (_, slice) => {
    const salt = stir(slice + 1)
    let owner = ''
    let most = -1
    for (const one of known) {
      const weight = stir(one.hash ^ salt)
      if (weight <= most) continue
      owner = one.name
      most = weight
    }
    return owner
  })
}

/** FNV-1a over UTF-16 units: an unsigned number of 32 bits. No secret and no defence. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = imul(h ^ text.charCodeAt(i), 0x01000193)
  return stir(h)
}
/** As MurmurHash3 ends: every bit of the number moves every other. */
function stir(number: number): number {
  let h = number
  h = imul(h ^ (h >>> 16), 0x85ebca6b)
  h = imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
