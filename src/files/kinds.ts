// What may be sent: the words that settings use, and what each of them is served as.
const OFFICE = 'application/vnd.openxmlformats-officedocument'
const OPEN = 'application/vnd.oasis.opendocument'
/**
 * All that can be allowed, by the word that settings use: the media type that it is served as, and the endings that its
 * name may have, the first of which is put behind any other. Nothing in it is run by a browser that heeds `nosniff`.
 */
export const KINDS = {
  png: ['image/png', 'png'],
  jpeg: ['image/jpeg', 'jpg', 'jpeg'],
  gif: ['image/gif', 'gif'],
  webp: ['image/webp', 'webp'],
  avif: ['image/avif', 'avif'],
  heic: ['image/heic', 'heic', 'heif'],
  pdf: ['application/pdf', 'pdf'],
  txt: ['text/plain', 'txt', 'text', 'log', 'md'],
  csv: ['text/csv', 'csv'],
  vcf: ['text/vcard', 'vcf'],
  ics: ['text/calendar', 'ics'],
  mp3: ['audio/mpeg', 'mp3'],
  wav: ['audio/wav', 'wav'],
  m4a: ['audio/mp4', 'm4a'],
  ogg: ['audio/ogg', 'ogg', 'oga', 'opus'],
  aac: ['audio/aac', 'aac'],
  amr: ['audio/amr', 'amr'],
  mp4: ['video/mp4', 'mp4', 'm4v'],
  webm: ['video/webm', 'webm', 'weba'],
  mov: ['video/quicktime', 'mov', 'qt'],
  '3gp': ['video/3gpp', '3gp', '3g2'],
  docx: [`${OFFICE}.wordprocessingml.document`, 'docx'],
  xlsx: [`${OFFICE}.spreadsheetml.sheet`, 'xlsx'],
  pptx: [`${OFFICE}.presentationml.presentation`, 'pptx'],
  odt: [`${OPEN}.text`, 'odt'],
  ods: [`${OPEN}.spreadsheet`, 'ods'],
  zip: ['application/zip', 'zip'],
} as const satisfies Readonly<Record<string, readonly [string, string, ...string[]]>>
export type Kind = keyof typeof KINDS

/** Every word that can stand in a setting. */
export const ALL_KINDS = Object.keys(KINDS) as readonly Kind[]
/** All but archives, which hide what is in them from whoever looks at a file's type. */
export const DEFAULT_KINDS: readonly Kind[] = ALL_KINDS.filter((kind) => kind !== 'zip')
