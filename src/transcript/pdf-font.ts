// A font in a PDF: only the glyphs that are used, each under a code for every text that it stands for.
import type { FontFace } from './font-face'
import type { ShapedGlyph } from './shaping'
import type { PdfDocument, PdfReference } from './pdf-document'

/**
 * A glyph that stands for different texts has a code for each, so that whoever copies or searches finds what was
 * written: one glyph shows an opening bracket from left to right and a closing one from right to left.
 */
export class PdfFont {
  /** Under which pages name it. */
  readonly name: string
  readonly dictionary: PdfReference
  readonly #document: PdfDocument
  readonly #face: FontFace
  readonly #subset: Subset
  readonly #codes = new Map<string, number>()
  /** As `codeOf` says it; the same glyph is shown again and again. */
  readonly #said = new WeakMap<ShapedGlyph, string>()
  /** Has holes where a code is a glyph's own number. */
  readonly #used: (Used | undefined)[]

  constructor(document: PdfDocument, face: FontFace, name: string) {
    this.#document = document
    this.#face = face
    this.name = name
    this.dictionary = document.ref({})
    // What fontkit's types do not say: the number of the glyph in the subset, and whether its outlines are CFF.
    this.#subset = face.font.createSubset() as unknown as Subset
    this.#used = [{ gid: 0, width: 0, text: '\uFFFD' }]
  }

  /** Four hex digits for a string of the page. */
  codeOf(glyph: ShapedGlyph): string {
    const known = this.#said.get(glyph)
    if (known !== undefined) return known
    const said = hex(this.#codeOf(glyph))
    this.#said.set(glyph, said)
    return said
  }
  #codeOf(glyph: ShapedGlyph): number {
    const gid = this.#subset.includeGlyph(glyph.id)
    // Outlines in CFF are found by their own number: one code a glyph, and the first text stays.
    const key = this.#isCff ? String(gid) : `${gid} ${glyph.text}`
    let code = this.#codes.get(key)
    if (code === undefined) {
      code = this.#isCff ? gid : this.#used.length
      this.#codes.set(key, code)
      this.#used[code] = { gid, width: glyph.width, text: glyph.text }
    }
    return code
  }
  get #isCff(): boolean {
    return this.#subset.cff !== undefined && this.#subset.cff !== null
  }

  /** Writes it out, when all pages are. */
  end(): void {
    const { font, scale } = this.#face
    const document = this.#document
    const file = document.ref(this.#isCff ? { Subtype: 'CIDFontType0C' } : {})
    file.end(Buffer.from(this.#subset.encode()))
    const name = `${tagOf(this.name)}+${this.#face.id.replace(/[^A-Za-z0-9-]/g, '')}`
    const { minX, minY, maxX, maxY } = font.bbox
    const descriptor = document.ref({
      Type: 'FontDescriptor',
      FontName: name,
      Flags: 4,
      FontBBox: [minX, minY, maxX, maxY].map((edge) => edge * scale),
      ItalicAngle: 0,
      Ascent: font.ascent * scale,
      Descent: font.descent * scale,
      CapHeight: (font.capHeight || font.ascent) * scale,
      StemV: 80,
      [this.#isCff ? 'FontFile3' : 'FontFile2']: file,
    })
    descriptor.end(undefined)
    const descendant = document.ref({
      Type: 'Font',
      Subtype: this.#isCff ? 'CIDFontType0' : 'CIDFontType2',
      BaseFont: name,
      CIDSystemInfo: { Registry: new String('Adobe'), Ordering: new String('Identity'), Supplement: 0 },
      FontDescriptor: descriptor,
      DW: 0,
      W: [0, Array.from(this.#used, (one) => Math.round((one?.width ?? 0) * 100) / 100)],
      ...(this.#isCff ? {} : { CIDToGIDMap: this.#glyphMap() }),
    })
    descendant.end(undefined)
    Object.assign(this.dictionary.data, {
      Type: 'Font',
      Subtype: 'Type0',
      BaseFont: name,
      Encoding: 'Identity-H',
      DescendantFonts: [descendant],
      ToUnicode: this.#unicodeMap(),
    })
    this.dictionary.end(undefined)
  }
  #glyphMap(): PdfReference {
    const map = Buffer.alloc(2 * this.#used.length)
    this.#used.forEach((one, code) => map.writeUInt16BE(one?.gid ?? 0, 2 * code))
    const reference = this.#document.ref({})
    reference.end(map)
    return reference
  }
  #unicodeMap(): PdfReference {
    const reference = this.#document.ref({})
    const entries = this.#used.flatMap((one, code) => (one ? [`<${hex(code)}> <${utf16(one.text)}>`] : []))
    const blocks: string[] = []
    for (let i = 0; i < entries.length; i += 100) {
      const block = entries.slice(i, i + 100)
      blocks.push(`${block.length} beginbfchar\n${block.join('\n')}\nendbfchar`)
    }
    reference.end(
      '/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n' +
        '/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n' +
        '/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n' +
        `1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n${blocks.join('\n')}\n` +
        'endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend',
    )
    return reference
  }
}

interface Used {
  readonly gid: number
  readonly width: number
  readonly text: string
}
interface Subset {
  includeGlyph(id: number): number
  encode(): Uint8Array
  readonly cff?: unknown
}
const utf16 = (text: string): string => Buffer.from(text, 'utf16le').swap16().toString('hex')
const hex = (code: number): string => code.toString(16).padStart(4, '0')
/** The six capitals that mark a subset. */
function tagOf(name: string): string {
  const number = Number(name.replace(/\D/g, '')) || 0
  return Array.from({ length: 6 }, (_, i) => String.fromCharCode(65 + (Math.floor(number / 26 ** i) % 26))).join('')
}
