// What must be as it was when the storm is over: the process, its memory, its descriptors, and a conversation that was open all along.
import { eventually } from '../support/eventually'
import { agentIn, customer, hire, request, say } from '../support/people'
import { seed } from './chance'
import type { GatewayProcess, Holdings } from './gateway-process'
import type { Verdicts } from './verdict'

/** More than this after the warm-up is a leak; collections leave a few megabytes either way. */
const MAX_GROWTH_MB = 30
/** Our own `fetch` keeps its connections for a while; a leak counts by the hundred. */
const SPARE_DESCRIPTORS = 16

/** Two people in a conversation of their own, before the storm. */
export async function watch(gateway: GatewayProcess) {
  const { url } = gateway
  const { token } = await hire(url, 'canary')
  const ann = await customer(url, { refId: 'canary' })
  const bo = await agentIn(url, ann.conversationId, token)
  const told = () => bo.heard.filter(({ event }) => event !== 'initConversation').length
  // The acknowledgement, the picture and the greeting.
  await eventually(() => ann.words().length === 2 && told() === 3)
  const toldBefore = told()
  const descriptors = gateway.descriptors()
  let warm: Holdings | null = null

  const quiet = async () => {
    await eventually(() => {
      expect(gateway.descriptors()).toBeLessThanOrEqual(descriptors + SPARE_DESCRIPTORS)
    })
    return gateway.holdings()
  }
  const staysTheSame = async () => {
    // New conversations are announced to every agent, as they should be.
    expect(told()).toBe(toldBefore)
    expect(ann.words()).toEqual(['participantJoined', 'participantJoined'])
    const sent = await ann.call('sendMessage', say(ann.conversationId, 'still here'))
    expect(sent.code).toBe(200)
    await eventually(() => bo.words().includes('still here'))
    const ready = await request(url, '/health/ready')
    expect(ready.status).toBe(200)
  }
  return {
    /** Call it when a part of the cases has run and its connections are gone. */
    warmedUp: async () => void (warm = await quiet()),
    /** The storm is over: judges all of it and prints the figures. */
    over: async (name: string, cases: number, verdicts: Verdicts) => {
      const end = await quiet()
      const grown = end.heap - (warm?.heap ?? end.heap)
      console.log(
        [
          `${name}: ${cases} cases, FUZZ_SEED=${seed}`,
          `  ${verdicts.toString()}`,
          `  heap ${warm?.heap.toFixed(1)} MB warm, ${end.heap.toFixed(1)} MB at the end; rss ${end.rss.toFixed(0)} MB`,
        ].join('\n'),
      )
      const { end: ended, complaints } = gateway
      expect({ seed, mistakes: verdicts.mistakes, ended, complaints }).toEqual({
        seed,
        mistakes: [],
        ended: null,
        complaints: '',
      })
      expect(grown).toBeLessThan(MAX_GROWTH_MB)
      await staysTheSame()
    },
    close: () => {
      ann.close()
      bo.close()
    },
  }
}
