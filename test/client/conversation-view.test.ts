// The view: the server's order, nothing twice, and no more than was asked for.
import fc from 'fast-check'
import { ConversationView } from '../../src/client/conversation-view'
import type { ActivityMessage, ChatMessage, Person } from '../../src/dialects/customer-channel/wire'

const ada: Person = { id: 'a', name: 'Ada', type: 'Agent' }
const base = { from: ada, to: [], timestamp: '2026-11-20T10:15:30.000Z', channel: 'web', tag: '' as const }
const chat = (seq: number): ChatMessage & { seq: number } => ({
  ...base,
  type: 'ChatMessage',
  id: `m${seq}`,
  messageId: `m${seq}`,
  seq,
  text: '',
  refId: '',
  attachments: [],
})
const activity = (seq: number, activityType: string, info: Record<string, unknown>): ActivityMessage => ({
  ...base,
  type: 'ActivityMessage',
  seq,
  activityType,
  info,
})
const seqs = (view: ConversationView) => view.messages.map(({ seq }) => seq)

describe('a conversation view', () => {
  it('is always in ascending order without repeats, whatever is heard again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.boolean())), (heard) => {
        const view = new ConversationView()
        for (const [seq, own] of heard) {
          if (own) view.takeOwn(chat(seq))
          else view.take(chat(seq))
        }
        const order = seqs(view).map(Number)
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b))
        expect(view.cursor).toBe(Math.max(0, ...heard.map(([seq]) => seq)))
      }),
    )
  })

  it('puts an own message whose first acknowledgement was lost where it belongs, once', () => {
    const view = new ConversationView()
    view.take(chat(1))
    view.take(chat(3))
    expect(view.takeOwn(chat(2))).toBe(true)
    expect(view.takeOwn(chat(2))).toBe(false)
    expect(seqs(view)).toEqual([1, 2, 3])
    expect(view.cursor).toBe(3)
  })

  it('keeps as many messages as it was told to', () => {
    const view = new ConversationView({ keep: 2 })
    for (const seq of [1, 2, 3, 4]) view.take(chat(seq))
    expect(seqs(view)).toEqual([3, 4])
    expect(view.takeOwn(chat(1))).toBe(false)
    expect(view.cursor).toBe(4)
  })

  it('starts after what the reader knows already', () => {
    const view = new ConversationView({ after: 7 })
    expect(view.take(chat(7))).toBe(false)
    expect(view.take(chat(8))).toBe(true)
  })

  it('lets receipts only rise, and knows none for what it does not keep', () => {
    const view = new ConversationView()
    view.take(chat(1))
    let seq = 1
    const told = ['sent', 'failed', 'delivered', 'read', 'delivered', 'failed'].map((state) => {
      view.take(activity((seq += 1), state, { messageId: 'm1' }))
      return view.receiptOf('m1')
    })
    expect(told).toEqual(['sent', 'failed', 'delivered', 'read', 'read', 'read'])
    view.take(activity((seq += 1), 'read', { messageId: 'elsewhere' }))
    expect(view.receiptOf('elsewhere')).toBeUndefined()
  })

  it('tells of what had failed and was sent again, and of whom it reached best', () => {
    const view = new ConversationView()
    const bea: Person = { id: 'b', name: 'Bea', type: 'Customer' }
    view.take(chat(1))
    const news: [Person, string][] = [
      [bea, 'failed'],
      [bea, 'sent'],
      [ada, 'delivered'],
      [bea, 'failed'],
    ]
    const told = news.map(([from, state], i) => {
      view.take({ ...activity(i + 2, state, { messageId: 'm1' }), from })
      return view.receiptOf('m1')
    })
    expect(told).toEqual(['failed', 'sent', 'delivered', 'delivered'])
  })

  it('knows who is there', () => {
    const view = new ConversationView()
    view.take(activity(1, 'participantJoined', { participant: ada }))
    expect(view.participants).toEqual([ada])
    view.take(activity(2, 'participantLeft', { participant: ada }))
    expect(view.participants).toEqual([])
  })
})
