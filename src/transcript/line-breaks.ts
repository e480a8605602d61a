// Where a line may end: behind spaces and hyphens, between the characters of scripts that have no spaces. After UAX #14.

const NO_BREAK_SPACE = /^[\u00A0\u202F\u2007\uFEFF]/
const SPACE = /^\s/u
const ZERO_WIDTH_SPACE = '\u200B'
const IDEOGRAPHIC =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303F\uFF01-\uFF60\p{Extended_Pictographic}\p{Regional_Indicator}]/u
/** Kinsoku: what never begins a line, and what never ends one. */
const NEVER_FIRST = /^[\p{Pe}\p{Pf}\p{Po}ー々〻ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ～]/u
const NEVER_LAST = /^[\p{Ps}\p{Pi}]/u
const HYPHEN = /^[-\u2010\u2013\u2014/]/
const LETTER = /^\p{L}/u
/** Most of what is written: nothing of the above. */
const WITHIN_A_WORD = /^[A-Za-z0-9]$/

/** Between two neighbouring grapheme clusters. */
export const mayBreakBetween = (before: string, after: string): boolean =>
  !(WITHIN_A_WORD.test(before) && WITHIN_A_WORD.test(after)) && isOpportunity(before, after)

function isOpportunity(before: string, after: string): boolean {
  if (before.startsWith(ZERO_WIDTH_SPACE)) return true
  if (NO_BREAK_SPACE.test(before) || NO_BREAK_SPACE.test(after) || SPACE.test(after)) return false
  if (SPACE.test(before)) return true
  if (IDEOGRAPHIC.test(before) || IDEOGRAPHIC.test(after)) return !NEVER_FIRST.test(after) && !NEVER_LAST.test(before)
  return HYPHEN.test(before) && LETTER.test(after)
}
