// Conversations as people keep them, and what is in a document made of one.
import type { Readable } from 'node:stream'
import { newConversationId } from '../../src/model/new-id'
import type {
  CustomerTranscript,
  Line,
  PublicEntry,
  Speaker,
  StaffEntry,
  StaffTranscript,
  Whisper,
} from '../../src/transcript/transcript'
import { timeOf } from './picture'

export const anna: Speaker = { name: 'Ann', role: 'customer' }
export const bob: Speaker = { name: 'Bo', role: 'agent' }
const ID = newConversationId()

export const lineOf = (text: string, more: Partial<Line> = {}): Line => ({
  kind: 'message',
  seq: 1,
  at: timeOf(61),
  from: anna,
  text,
  attachments: [],
  state: null,
  ...more,
})
export const whisperOf = (text: string, more: Partial<Whisper> = {}): Whisper => ({
  ...lineOf(text),
  from: bob,
  ...more,
  kind: 'whisper',
})

const head = {
  conversationId: ID,
  channel: 'web',
  account: '',
  subject: '',
  language: 'en',
  startedAt: timeOf(0),
  endedAt: timeOf(600),
  people: [anna, bob],
}
export const transcriptOf = (
  entries: readonly PublicEntry[],
  more: Partial<CustomerTranscript> = {},
): CustomerTranscript => ({ audience: 'customer', ...head, entries, ...more })
export const staffTranscriptOf = (
  entries: readonly StaffEntry[],
  more: Partial<StaffTranscript> = {},
): StaffTranscript => ({ audience: 'staff', ...head, entries, ...more })

export async function bytesOf(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
export const textOf = async (pieces: Iterable<string> | AsyncIterable<string>): Promise<string> => {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}
