// Links to the files of a conversation, as they are shown to each audience and read back from what is sent.
import type { StoredAttachment } from '../../model/content'
import type { FileId, Tenant } from '../../model/ids'
import type { FileLink, FileLinks, Variant } from '../../files/links'
import type { ShowFile } from './codec'
import type { Attachment } from './wire'

/** Whom a link was given to: so that it is seen in a log, through whose hands it went. */
export type LinkAudience = 'public' | 'staff' | 'connector'

/** How long a link opens its file at least, and by how much longer at most: within an hour all get the same one. */
const DAY_MS = 24 * 3_600_000
const STEP_MS = 3_600_000
const PATH = /\/api\/files\/([\w.-]{1,200})(?:\/[^/]*)?$/

interface Deps {
  readonly links: FileLinks
  readonly tenant: Tenant
  /** Where the world reaches this gateway, with its base path and without a slash at its end; empty: see `reachedAt`. */
  readonly base: string
  readonly now: () => Date
}

export class FileDoor {
  readonly #deps: Deps
  #base: string
  readonly forPublic: ShowFile
  readonly forStaff: ShowFile
  readonly forConnectors: ShowFile

  constructor(deps: Deps) {
    this.#deps = deps
    this.#base = deps.base
    const showTo =
      (audience: LinkAudience): ShowFile =>
      (file) =>
        this.#show(file, audience)
    this.forPublic = showTo('public')
    this.forStaff = showTo('staff')
    this.forConnectors = showTo('connector')
  }

  /** Where it listens: for links, too, when it has no name of its own, and is tried out on one machine. */
  reachedAt(url: string): void {
    this.#base ||= url
  }

  /** The file that a link of ours names now; `void` for one of ours that opens nothing any more, null for any other link. */
  read(url: string): FileId | 'void' | null {
    if (!URL.canParse(url)) return null
    const { pathname } = new URL(url)
    const link = PATH.exec(pathname)?.[1]
    const opened = link === undefined ? null : this.open(link)
    if (opened) return opened.fileId
    return link !== undefined && url.startsWith(`${this.#base}/`) ? 'void' : null
  }
  /** What a link opens now; null when it is void. */
  open(link: string): FileLink | null {
    return this.#deps.links.open(this.#deps.tenant, link)
  }

  #show({ type, name, fileId, size, hasThumbnail }: StoredAttachment, audience: LinkAudience): Attachment {
    const contentUrl = this.#linkTo({ fileId, name }, 'original', audience)
    const thumbnailUrl = hasThumbnail ? this.#linkTo({ fileId, name }, 'thumbnail', audience) : undefined
    return { type, name, contentUrl, ...(thumbnailUrl !== undefined && { thumbnailUrl }), size }
  }
  #linkTo(file: { fileId: FileId; name: string }, variant: Variant, audience: LinkAudience): string {
    const { links, tenant, now } = this.#deps
    const expiresAt = Math.ceil((now().getTime() + DAY_MS) / STEP_MS) * STEP_MS
    const link = links.sign(tenant, { fileId: file.fileId, variant, audience, expiresAt })
    return `${this.#base}/api/files/${link}/${encodeURIComponent(file.name)}`
  }
}
