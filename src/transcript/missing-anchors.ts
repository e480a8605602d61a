// Mends what fontkit 2.0 does with a mark whose base has no anchor for it: it throws, in the middle of common Urdu words.
import type { Font } from 'fontkit'

type Lookup = (type: number, table: unknown) => boolean
type Anchor = (mark: { readonly markAnchor: unknown }, base: unknown, at: number) => void
interface Positioning {
  applyLookup: Lookup
  applyAnchor: Anchor
}
class NoAnchor extends Error {}

/**
 * An anchor may be absent (OpenType, GPOS lookup types 4 to 6); then the next subtable has its turn, as in HarfBuzz.
 * Reaches for a part of fontkit that it does not promise: where that is missing, the font stays as it is.
 */
export function tolerateMissingAnchors(font: Font): void {
  const positioning = positioningOf(font)
  if (!positioning) return
  const { applyLookup, applyAnchor } = positioning
  positioning.applyAnchor = function (this: unknown, mark, base, at) {
    if (!base || !mark.markAnchor) throw new NoAnchor()
    applyAnchor.call(this, mark, base, at)
  }
  positioning.applyLookup = function (this: unknown, type, table) {
    try {
      return applyLookup.call(this, type, table)
    } catch (cause) {
      if (cause instanceof NoAnchor) return false
      throw cause
    }
  }
}

function positioningOf(font: object): Positioning | null {
  const found = ['_layoutEngine', 'engine', 'GPOSProcessor'].reduce<unknown>(
    (part, name) => (typeof part === 'object' && part !== null ? (Reflect.get(part, name) as unknown) : null),
    font,
  )
  return isPositioning(found) ? found : null
}
const isPositioning = (part: unknown): part is Positioning =>
  typeof part === 'object' && part !== null && 'applyLookup' in part && 'applyAnchor' in part
