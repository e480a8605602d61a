// What one node says to another in one tick, as one text; and reading it back, which trusts nothing and never throws.
import type { ConversationEvent, Ephemeral } from '../model/events'
import type { Notice } from './bus'

/** Readers skip fields that they do not know; this number rises when that is not enough. */
const VERSION = 1
/** Longer than any name of a topic, a channel or a node. */
const MAX_NAME = 512

/**
 * What became of a node's interest in a topic: it follows it from now on (`+`) or no longer (`-`); it follows it too (`=`,
 * the answer to `+`); it was taken out of the directory and must enter itself again if it lives (`!`). The number is the
 * last position that the speaker published there, 0 when none.
 */
export type Change = readonly [kind: '+' | '-' | '=' | '!', topic: string, position: number]
export type Section = 'changes' | 'events' | 'ephemerals' | 'wakes' | 'notices'

export interface Incoming {
  readonly from: string
  readonly changes: readonly Change[]
  readonly events: readonly ConversationEvent[]
  readonly ephemerals: readonly Ephemeral[]
  readonly wakes: readonly (readonly [channel: string, account: string])[]
  readonly notices: readonly Notice[]
  /** The speaker could not say everything. */
  readonly missed: boolean
}

/** Collects what is to be said, as JSON that was made already. */
export class Envelope {
  readonly #sections = new Map<Section, string[]>()
  /** The topics whose followers it is for. */
  readonly topics = new Set<string>()
  /** Length of what it holds, in characters. */
  size = 0
  /** How many hints it holds. */
  count = 0
  missed = false

  add(section: Section, json: string): void {
    const items = this.#sections.get(section)
    if (items) items.push(json)
    else this.#sections.set(section, [json])
    this.size += json.length
    this.count += 1
  }
  /** Sealed by the node that says it. */
  toText(from: string): string {
    let text = `{"v":${VERSION},"from":${JSON.stringify(from)}`
    for (const [section, items] of this.#sections) text += `,"${section}":[${items.join(',')}]`
    return `${text}${this.missed ? ',"missed":true' : ''}}`
  }
}

/** Null: not ours. `newer`: from a node that speaks a later format. */
export function readEnvelope(text: string): Incoming | 'newer' | null {
  const read = parse(text)
  if (!isRecord(read) || typeof read['v'] !== 'number' || !isName(read['from'])) return null
  if (read['v'] > VERSION) return 'newer'
  return {
    from: read['from'],
    changes: list(read['changes']).filter(isChange),
    events: list(read['events']).filter(isEvent),
    ephemerals: list(read['ephemerals']).filter(isEphemeral),
    wakes: list(read['wakes']).filter(isWake),
    notices: list(read['notices']).filter(isNotice),
    missed: read['missed'] === true,
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
const NOTHING: readonly unknown[] = []
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : NOTHING)
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_NAME
const isName = (value: unknown): value is string => isText(value) && value !== ''
const isCount = (value: unknown): boolean => Number.isSafeInteger(value)

const isPlaced = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isRecord(value) && isName(value['tenant']) && isName(value['conversationId']) && isName(value['type'])
/** What places an event is looked at; the rest is taken at its word, for nodes write nothing else. */
const isEvent = (value: unknown): value is ConversationEvent =>
  isPlaced(value) &&
  isCount(value['position']) &&
  (value['publicPosition'] === null || isCount(value['publicPosition'])) &&
  isRecord(value['by'])
const isEphemeral = (value: unknown): value is Ephemeral =>
  isPlaced(value) && isRecord(value['by']) && typeof value['internal'] === 'boolean'
const isWake = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) && isText(value[0]) && isText(value[1])
const isChange = (value: unknown): value is Change =>
  Array.isArray(value) &&
  (value[0] === '+' || value[0] === '-' || value[0] === '=' || value[0] === '!') &&
  isName(value[1]) &&
  isCount(value[2])

/** What each kind of notice must have besides its kind. */
const NOTICES: Readonly<Record<Notice['kind'], readonly string[]>> = {
  changed: ['what', 'id'],
  registered: ['tenant', 'channel', 'account', 'instance'],
  unregistered: ['tenant', 'channel', 'account', 'instance'],
  begun: ['tenant', 'conversationId'],
  erased: ['tenant', 'conversationId'],
}
function isNotice(value: unknown): value is Notice {
  if (!isRecord(value) || typeof value['kind'] !== 'string' || !isKnownKind(value['kind'])) return false
  if (value['kind'] === 'changed' && value['what'] !== 'account' && value['what'] !== 'key') return false
  if (value['kind'] === 'registered' && !isCount(value['fence'])) return false
  return NOTICES[value['kind']].every((field) => isText(value[field]))
}
const isKnownKind = (kind: string): kind is Notice['kind'] => Object.hasOwn(NOTICES, kind)
