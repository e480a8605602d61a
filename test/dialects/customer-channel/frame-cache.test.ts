// An event is encoded once for all who hear it alike, and rightly for more audiences than are kept.
import { FrameCache } from '../../../src/dialects/customer-channel/frame-cache'
import type { WireMessage } from '../../../src/dialects/customer-channel/wire'
import type { ConversationEvent } from '../../../src/model/events'

const event = (id: string) => ({ id }) as unknown as ConversationEvent
const bodyFor = (audience: string) => ({ text: audience.padEnd(100, '.') }) as unknown as WireMessage

it('encodes an event once for each of up to eight audiences, and again for those beyond', () => {
  const cache = new FrameCache(() => new Date(0))
  const encoded: string[] = []
  const audiences = Array.from({ length: 10 }, (_, i) => `audience ${i}`)
  const frames = (of: ConversationEvent) =>
    audiences.map((audience) =>
      cache.of(of, audience, () => {
        encoded.push(audience)
        return bodyFor(audience)
      }),
    )
  const first = event('a')
  const [once, twice] = [frames(first), frames(first)]
  expect(twice.slice(0, 8)).toEqual(once.slice(0, 8))
  expect(twice.slice(0, 8).every((frame, i) => frame === once[i])).toBe(true)
  expect(encoded).toEqual([...audiences, ...audiences.slice(8)])
  expect(new Set(frames(event('b'))).size).toBe(10)
})
it('tells one moment to all who hear a live event, and a new one for the next', () => {
  let now = 0
  const cache = new FrameCache(() => new Date(now++))
  const [first, second] = [event('a'), event('b')]
  expect([first, first, second].map((one) => cache.momentOf(one))).toEqual([0, 0, 1])
})
