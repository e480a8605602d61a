// What a message's attachments are stored as: a link of ours is a file of the conversation, a small `data:` link becomes one.
import type { FileRow, Files } from '../../files/files'
import {
  isStored,
  type Attachment,
  type Content,
  type LinkedAttachment,
  type StoredAttachment,
} from '../../model/content'
import { GatewayError } from '../../model/errors'
import type { ParticipantId, Place } from '../../model/ids'
import type { FileDoor } from './file-door'

/** RFC 2397. Parameters are of no use: what the bytes are is found out. */
const DATA_LINK = /^data:[^,]{0,256}?(;base64)?,/i
/** A picture that browsers show and run nothing of. */
const SHOWN = /^data:image\/(?:png|jpeg|gif|webp);base64,/i

interface Linking {
  readonly contentUrl: string
  readonly thumbnailUrl?: string | undefined
}
export interface Settled {
  readonly content: Content
  /** Files that were made for it. */
  readonly made: readonly FileRow[]
}

export class Attachments {
  readonly #files: Files
  readonly #door: FileDoor

  constructor(deps: { readonly files: Files; readonly fileDoor: FileDoor }) {
    this.#files = deps.files
    this.#door = deps.fileDoor
  }

  /** Is there anything to be looked up or stored? Most messages have no attachments at all. */
  concern(attachments: readonly (Attachment | Linking)[]): boolean {
    return attachments.some((attachment) => 'contentUrl' in attachment && this.#isOurs(attachment))
  }
  /** The links are asked by the message's own sender: nobody attaches a file of another conversation. */
  async settle({ place, from }: Speaker, content: Content): Promise<Settled> {
    const made: FileRow[] = []
    try {
      const attachments: Attachment[] = []
      for (const attachment of content.attachments)
        attachments.push(await this.#settle({ place, from }, attachment, made))
      return { content: { ...content, attachments }, made }
    } catch (cause) {
      await this.discard(made)
      throw cause
    }
  }
  /** For files that no message refers to in the end. */
  async discard(files: readonly FileRow[]): Promise<void> {
    for (const file of files) await this.#files.discard(file)
  }

  #isOurs({ contentUrl, thumbnailUrl = '' }: Linking): boolean {
    return isData(contentUrl) || isData(thumbnailUrl) || this.#door.read(contentUrl) !== null
  }
  async #settle({ place, from }: Speaker, attachment: Attachment, made: FileRow[]): Promise<Attachment> {
    if (isStored(attachment)) return attachment
    const { contentUrl, name } = attachment
    if (isData(contentUrl)) {
      const row = await this.#files.keep(place, from, { name, bytes: bytesOf(contentUrl) })
      made.push(row)
      return attachmentOf(row)
    }
    const fileId = this.#door.read(contentUrl)
    if (fileId === null) return harmless(attachment)
    const row = fileId === 'void' ? null : await this.#files.find(place.tenant, fileId)
    if (row?.conversationId !== place.conversationId)
      throw new GatewayError(
        'invalidRequest',
        'A link opens no file of this conversation, or not any more. Upload it here.',
        {
          details: ['attachments'],
        },
      )
    return attachmentOf(row)
  }
}
interface Speaker {
  readonly place: Place
  readonly from: ParticipantId
}

/** A file as a message refers to it. */
export const attachmentOf = ({ id, name, mediaType, size, thumbnail }: FileRow): StoredAttachment => ({
  // Its encoding is for who reads the bytes.
  type: mediaType.replace(/;.*/, ''),
  name,
  fileId: id,
  size,
  hasThumbnail: thumbnail !== null,
})

const isData = (link: string): boolean => /^data:/i.test(link)
function bytesOf(link: string): Buffer {
  const [head = '', base64] = DATA_LINK.exec(link) ?? []
  const body = link.slice(head.length)
  try {
    if (head !== '') return base64 === undefined ? Buffer.from(decodeURIComponent(body)) : Buffer.from(body, 'base64')
  } catch {
    // Not well-formed, like a link without a comma.
  }
  throw new GatewayError('invalidRequest', 'A `data:` link cannot be read. Send base64.', { details: ['attachments'] })
}
/** A thumbnail that might be run is left out. */
function harmless({ thumbnailUrl, ...attachment }: LinkedAttachment): LinkedAttachment {
  const isKept = thumbnailUrl !== undefined && (!isData(thumbnailUrl) || SHOWN.test(thumbnailUrl))
  return isKept ? { ...attachment, thumbnailUrl } : attachment
}
