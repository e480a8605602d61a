// What nodes say to each other in one tick comes through as it was said, and what anybody else says comes to nothing.
import fc from 'fast-check'
import { Envelope, readEnvelope } from '../../src/bus/envelope'
import { said, whispered } from '../support/log-fixtures'
import { logOf } from '../support/picture'

describe('an envelope', () => {
  it('brings what was put into it', () => {
    const { events } = logOf([said('"a" \u2028 👋'), whispered('b')])
    const envelope = new Envelope()
    for (const event of events) envelope.add('events', JSON.stringify(event))
    envelope.add('changes', JSON.stringify(['+', 'conversation:default:x', 7]))
    envelope.add('wakes', JSON.stringify(['sms', '']))
    envelope.add('notices', JSON.stringify({ kind: 'changed', what: 'key', id: 'n' }))
    expect(envelope.count).toBe(5)
    expect(readEnvelope(envelope.toText('me'))).toEqual({
      from: 'me',
      changes: [['+', 'conversation:default:x', 7]],
      events,
      ephemerals: [],
      wakes: [['sms', '']],
      notices: [{ kind: 'changed', what: 'key', id: 'n' }],
      missed: false,
    })
  })
  it('says that something was missed', () => {
    const envelope = new Envelope()
    envelope.missed = true
    expect(readEnvelope(envelope.toText('me'))).toMatchObject({ missed: true, events: [] })
  })
  it('skips what it does not know, and knows a later format when it sees it', () => {
    const text = '{"v":1,"from":"x","notices":[{"kind":"later"},{"kind":"changed","what":"key","id":"n"}],"later":[1]}'
    expect(readEnvelope(text)).toMatchObject({ notices: [{ kind: 'changed', what: 'key', id: 'n' }] })
    expect(readEnvelope('{"v":2,"from":"x"}')).toBe('newer')
  })
  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readEnvelope(text)).toBeNull()
      }),
    )
    const field = fc.constantFrom('changes', 'events', 'ephemerals', 'wakes', 'notices', 'missed')
    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), (fields) => {
        const read = readEnvelope(JSON.stringify({ v: 1, from: 'x', ...fields }))
        // No text or number is an event, however it is nested.
        expect(read).toMatchObject({ from: 'x', events: [], ephemerals: [], notices: [] })
      }),
    )
  })
})
