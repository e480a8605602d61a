// Texts as Postgres can hold them: it takes every character but U+0000, which clients may put into their keys.

/** Marks what stands for U+0000 (followed by 0) or for itself (followed by 1). */
const MARK = '\u0001'
const HALVES = /\p{Surrogate}/gu

/** Reversible, and different for different texts. */
export function toStored(text: string): string {
  if (!text.includes('\0') && !text.includes(MARK)) return text
  return text.replaceAll(MARK, `${MARK}1`).replaceAll('\0', `${MARK}0`)
}

/** The same for a text within JSON, where halves of characters are no longer replaced on the way. */
export const toStoredJson = (text: string): string => toStored(text).replace(HALVES, '\uFFFD')

export function fromStored(text: string): string {
  return text.includes(MARK) ? text.replaceAll(`${MARK}0`, '\0').replaceAll(`${MARK}1`, MARK) : text
}
