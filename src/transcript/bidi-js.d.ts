// What `bidi-js` 1.1 exports, of which we use three functions; it brings no types of its own.
declare module 'bidi-js' {
  interface EmbeddingLevels {
    readonly levels: Uint8Array
    readonly paragraphs: readonly { readonly start: number; readonly end: number; readonly level: number }[]
  }
  interface Bidi {
    getEmbeddingLevels(text: string, direction?: 'ltr' | 'rtl' | 'auto'): EmbeddingLevels
    getMirroredCharacter(character: string): string | null
    getBidiCharTypeName(character: string): string
  }
  const bidiFactory: () => Bidi
  export default bidiFactory
}
