// Reads back the JSON that we wrote ourselves: the one place where it is taken at its word.
import type { Conversation } from '../model/conversation'
import type { Loaded } from './engine'

/** The part of a conversation that has no columns of its own. */
export type StoredPicture = Pick<Conversation, 'opening' | 'memberships'>

export const readPicture = (json: string): StoredPicture => JSON.parse(json) as StoredPicture
export const readStrings = (json: string): string[] => JSON.parse(json) as string[]
export const readLoaded = (json: string): Loaded[] => JSON.parse(json) as Loaded[]

export function writePicture({ opening, memberships }: Conversation): string {
  return JSON.stringify({ opening, memberships } satisfies StoredPicture)
}
