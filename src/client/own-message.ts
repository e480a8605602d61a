// What a sender said, in the shape in which everybody else hears it: the sender gets no echo, only the acknowledgement.
import type { ActivityMessage, Attachment, ChatMessage, Person, SendReply } from '../dialects/customer-channel/wire'

interface Said {
  readonly conversationId: string
  readonly messageId: string
  readonly text?: string
  readonly attachments?: readonly Attachment[]
  readonly to?: readonly string[]
  readonly tag?: 'whisper'
}
interface Told {
  readonly conversationId: string
  readonly activityType: string
  readonly info: Record<string, unknown>
}
/** Who said it, and who can be meant by it. */
interface Frame {
  readonly me: Person
  readonly people: readonly Person[]
  readonly channel: string
}

export function ownChatMessage(said: Said, reply: SendReply, frame: Frame): ChatMessage {
  const { text = '', attachments = [], to = [], tag = '' } = said
  const { me: from, people, channel } = frame
  return {
    ...said,
    ...placeOf(reply),
    type: 'ChatMessage',
    from,
    to: people.filter(({ id }) => to.includes(id)),
    channel,
    text,
    tag,
    refId: '',
    attachments: [...attachments],
  }
}

export function ownActivity(told: Told, reply: SendReply, { me: from, channel }: Frame): ActivityMessage {
  return { ...told, ...placeOf(reply), type: 'ActivityMessage', from, to: [], channel, tag: '' }
}

function placeOf({ id, seq, timestamp = new Date().toISOString() }: SendReply) {
  return { timestamp, ...(id === undefined ? {} : { id }), ...(seq === undefined ? {} : { seq }) }
}
