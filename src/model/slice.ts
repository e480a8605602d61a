// Recipients cut into slices, so that several carriers can divide them: the same recipient lies in the same slice for ever.
import type { Address } from './participant'

export const SLICES = 1024

/** From 0 up to `SLICES`, and kept with each delivery: who changes this moves recipients, which costs no order. */
export const sliceOf = ({ channel, account, refId }: Address): number =>
  hash(JSON.stringify([channel, account, refId])) % SLICES

/**
 * Which slices are whose: each belongs to whoever weighs most in it, so that one who comes takes an even part of what the
 * others have, and one who goes leaves theirs alone. Everybody who knows the same names divides alike.
 * @param names of all who divide, `own` among them
 * @returns a character for each slice: `1` where it is `own`'s
 */
export function slicesOf(own: string, names: readonly string[]): string {
  let slices = ''
  for (let slice = 0; slice < SLICES; slice += 1) slices += heaviest(slice, names) === own ? '1' : '0'
  return slices
}

function heaviest(slice: number, names: readonly string[]): string | null {
  let winner: string | null = null
  let most = -1
  for (const name of names) {
    const weight = hash(`${slice} ${name}`)
    const isHeavier = weight > most || (weight === most && winner !== null && name > winner)
    if (isHeavier) [winner, most] = [name, weight]
  }
  return winner
}

/** FNV-1a over UTF-16 units, stirred as MurmurHash3 ends: an unsigned number of 32 bits. No secret and no defence. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
