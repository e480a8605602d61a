// One font file: opened when its first character is asked for.
import type { Font } from 'fontkit'
import { openFont } from './sfnt'

export interface FaceSource {
  /** Unique among all faces; documents name their fonts by it. */
  readonly id: string
  readonly read: () => Buffer
  /** What it may have, known without opening it; absent: whatever is in it. */
  readonly mayHave?: (codePoint: number) => boolean
  /** Its letters stand at different heights, each lower than the one before it. */
  readonly climbs?: boolean
}

export class FontFace {
  readonly id: string
  readonly climbs: boolean
  readonly #read: () => Buffer
  readonly #mayHave: (codePoint: number) => boolean
  #font: Font | null = null

  constructor({ id, read, mayHave = () => true, climbs = false }: FaceSource) {
    this.id = id
    this.climbs = climbs
    this.#read = read
    this.#mayHave = mayHave
  }
  get font(): Font {
    return (this.#font ??= openFont(this.#read()))
  }
  /** From font units to thousandths of the size, in which a PDF counts. */
  get scale(): number {
    return 1_000 / this.font.unitsPerEm
  }
  has(codePoint: number): boolean {
    return this.#mayHave(codePoint) && this.font.hasGlyphForCodePoint(codePoint)
  }
}
