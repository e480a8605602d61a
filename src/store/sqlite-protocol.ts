// What crosses the thread between the gateway and its SQLite file: one message in, one message out.
import type { ConversationId, DeliveryId, Place, Tenant } from '../model/ids'
import type { Needs } from './conversation-store'
import type { Who } from './custody-store'
import type { Claim, Supply } from './delivery-store'
import type { WriteRow } from './engine'
import type { ErasedAddress, ErasedPage } from './erasure-store'
import type { LogPage } from './conversation-store'
import type { Delivery } from './records'

export type Cell = string | number | null

/**
 * A batch as flat lists of cells: structured clone copies a list of plain values several times faster than it copies
 * rows. The worker cuts each list into rows of the width below, whose cells are in the order of its statements.
 */
export interface FlatBatch {
  readonly now: string
  readonly opened: readonly Cell[]
  /** Where the customers of those are reached. */
  readonly named: readonly Cell[]
  readonly changed: readonly Cell[]
  /** Addresses whose conversation has ended. */
  readonly freed: readonly Cell[]
  /** Addresses whose conversation is opened. */
  readonly taken: readonly Cell[]
  readonly events: readonly Cell[]
  readonly once: readonly Cell[]
  readonly writes: readonly WriteRow[]
}
export const WIDTH = { opened: 9, named: 6, changed: 9, freed: 5, taken: 5, events: 5, once: 7 } as const

export type Tail = Pick<LogPage, 'tenant' | 'id' | 'after'>
export type Ask =
  | { readonly do: 'load'; readonly needs: readonly Needs[] }
  | { readonly do: 'commit'; readonly batch: FlatBatch }
  | { readonly do: 'page'; readonly page: LogPage }
  /** What lies in each log behind a position. */
  | { readonly do: 'tails'; readonly of: readonly Tail[] }
  /** The last position of each log; 0 of an empty one. */
  | { readonly do: 'ends'; readonly tenant: Tenant; readonly ids: readonly ConversationId[] }
  | { readonly do: 'claim'; readonly tenant: Tenant; readonly claim: Claim }
  | { readonly do: 'release'; readonly tenant: Tenant; readonly lease: string }
  | { readonly do: 'replay'; readonly tenant: Tenant; readonly id: DeliveryId }
  | { readonly do: 'nextDueIn'; readonly tenant: Tenant; readonly at: Supply }
  | { readonly do: 'query'; readonly sql: string; readonly parameters: readonly unknown[] }
  | { readonly do: 'eraseEvents'; readonly place: Place; readonly after: number; readonly limit: number }
  | { readonly do: 'eraseRest'; readonly place: Place; readonly scope: string; readonly limit: number }
  | { readonly do: 'eraseAddress'; readonly tenant: Tenant; readonly who: Who; readonly limit: number }
  /** Brings the whole log of writing into the file, and leaves nothing in it. */
  | { readonly do: 'checkpoint' }
  | { readonly do: 'probe' }
  | { readonly do: 'close' }

export interface Answers {
  /** JSON of `Loaded[]`: a string is copied at once and parsed where it is needed. */
  load: string
  commit: 'written' | 'conflict'
  /** Bodies of events. */
  page: string[]
  tails: string[][]
  ends: number[]
  claim: Delivery[]
  release: number
  replay: boolean
  nextDueIn: number | null
  query: { readonly rows: unknown[]; readonly changes: number }
  eraseEvents: ErasedPage
  eraseRest: number
  eraseAddress: ErasedAddress
  /** False when somebody else reads the file: their part of it stays. */
  checkpoint: boolean
  probe: null
  close: null
}

export interface Question {
  readonly id: number
  /** The time in tests; otherwise the worker's own clock counts. */
  readonly at: string | undefined
  readonly ask: Ask
}
export interface Fault {
  /** SQLite's code, or one of ours. */
  readonly code: string
  readonly message: string
  /** A row was refused for what it is; otherwise the store as a whole cannot be used now. */
  readonly isEntry: boolean
}
export type Reply = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly fault: Fault }

/** Under this id the worker says why it could not open the file. */
export const OPENING = 0
export const FOLDER_TAKEN = 'FOLDER_TAKEN'

export interface WorkerData {
  readonly file: string
  /** Held for as long as this gateway serves the folder. */
  readonly guard: string
}
