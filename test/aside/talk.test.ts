// What work that can wait does while people talk: it leaves them room, where there is little.
import { restAmid, Talk } from '../../src/aside/talk'

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

it('goes on for a second after the last word', () => {
  const talk = new Talk()
  expect(talk.isOn).toBe(false)
  talk.heard()
  jest.advanceTimersByTime(999)
  expect(talk.isOn).toBe(true)
  talk.heard()
  jest.advanceTimersByTime(999)
  expect(talk.isOn).toBe(true)
  jest.advanceTimersByTime(1)
  expect(talk.isOn).toBe(false)
})
it.each([1, 2])(
  'lets processes beside the gateway rest when there are no more than two processors (%d)',
  (processors) => {
    const amidTalk = restAmid({ isTalk: true, areFilesComing: false }, processors)
    expect(amidTalk).toBeGreaterThan(0)
    expect(restAmid({ isTalk: true, areFilesComing: true }, processors)).toBeGreaterThan(amidTalk)
  },
)
it('lets them work all the time when nobody talks, or a processor is free for whoever does', () => {
  expect(restAmid({ isTalk: false, areFilesComing: true }, 2)).toBe(0)
  expect(restAmid({ isTalk: true, areFilesComing: true }, 3)).toBe(0)
})
