// What passes between the gateway and a process that makes thumbnails.

export interface Thumbnail {
  readonly bytes: Buffer
  readonly mediaType: 'image/jpeg' | 'image/png'
  /** The picture's own size in pixels, as it is shown, not the thumbnail's. */
  readonly width: number
  readonly height: number
}
export interface PictureLimits {
  /** For making one, in whole seconds. */
  readonly seconds: number
  /** Width times height; a picture of more is not unpacked. */
  readonly maxPixels: number
}
/** To the process. One picture at a time. */
export type ToDarkroom =
  /** `path`: of its file; null: its bytes follow, each part when it is wanted. */
  | { readonly do: 'picture'; readonly path: string | null; readonly limits: PictureLimits }
  | { readonly do: 'part'; readonly bytes: Uint8Array }
  | { readonly do: 'end' }
/** From the process. */
export type FromDarkroom =
  | { readonly is: 'wanted' }
  /** Null: there is none of this picture. */
  | { readonly is: 'made'; readonly thumbnail: Thumbnail | null }
