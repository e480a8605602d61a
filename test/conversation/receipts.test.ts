// Receipts only rise, whatever order they come in.
import fc from 'fast-check'
import { rises } from '../../src/conversation/receipts'
import type { ReceiptState } from '../../src/model/events'

const STATES: readonly ReceiptState[] = ['accepted', 'sent', 'delivered', 'read', 'failed']

/** What was taken up, in order, and where it ended. */
function run(states: readonly ReceiptState[]) {
  const taken: ReceiptState[] = []
  for (const state of states) if (rises(taken.at(-1) ?? null, state)) taken.push(state)
  return { taken, last: taken.at(-1) ?? null }
}
const anyOrder = fc.shuffledSubarray([...STATES, ...STATES], { minLength: 0, maxLength: 10 })

describe('receipts', () => {
  it('rise in every one of all orders, each state at most once', () => {
    fc.assert(
      fc.property(anyOrder, (states) => {
        const { taken } = run(states)
        const ranks = taken.map((state) => STATES.indexOf(state))
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b))
        expect(new Set(taken).size).toBe(taken.length)
      }),
      { numRuns: 2_000 },
    )
  })
  it('without a failure end at the highest, whatever the order', () => {
    const states = STATES.filter((state) => state !== 'failed')
    fc.assert(
      fc.property(fc.shuffledSubarray([...states, ...states], { minLength: 1 }), (order) => {
        const highest = states.findLast((state) => order.includes(state))
        expect(run(order).last).toBe(highest)
      }),
    )
  })
  it('end with a failure, unless it was delivered before', () => {
    fc.assert(
      fc.property(anyOrder, (states) => {
        const failed = states.indexOf('failed')
        const before = run(states.slice(0, Math.max(0, failed))).last
        const arrived = before === 'delivered' || before === 'read'
        expect(run(states).taken.includes('failed')).toBe(failed >= 0 && !arrived)
        if (failed >= 0 && !arrived) expect(run(states).last).toBe('failed')
      }),
      { numRuns: 2_000 },
    )
  })
  it('say a state twice to nobody', () => {
    for (const state of STATES) expect(rises(state, state)).toBe(false)
    for (const state of STATES) expect(rises(null, state)).toBe(true)
  })
})
