// The name of a topic in Redis and between nodes: the tenant first, and no part can run into the next.
import type { Topic } from './bus'

export const topicName = (topic: Topic): string =>
  'channel' in topic
    ? `channel:${encodeURIComponent(topic.channel)}`
    : `conversation:${encodeURIComponent(topic.tenant)}:${topic.conversationId}`
