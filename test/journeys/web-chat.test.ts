import { eventually } from '../support/eventually'
import { openGateway } from '../support/gateway'
import { agentIn, customer, hire, login, request, say } from '../support/people'

describe('a web chat', () => {
  let gateway: Awaited<ReturnType<typeof openGateway>>
  beforeAll(async () => {
    gateway = await openGateway()
  })
  afterAll(() => gateway.close())

  it('carries words both ways, hides whispers, ends for all, and leaves a transcript', async () => {
    const { url } = gateway
    const { token } = await hire(url, 'bo')
    const ann = await customer(url)
    const { conversationId } = ann
    const bo = await agentIn(url, conversationId, token)
    await ann.call('sendMessage', say(conversationId, 'hi', { messageId: 'm1' }))
    await bo.call('sendMessage', say(conversationId, 'she is cross', { tag: 'Whisper' }))
    const reply = await bo.call('sendMessage', say(conversationId, 'hello'))
    expect(reply).toMatchObject({ code: 200, seq: 5 })
    await eventually(() => {
      expect(ann.words()).toEqual(['participantJoined', 'participantJoined', 'hello'])
      expect(bo.words()).toEqual(['participantJoined', 'participantJoined', 'hi'])
    })
    expect(ann.arrived().at(-1)).toMatchObject({ seq: 4, from: { type: 'Agent', name: 'bo' } })
    await ann.call('endConversation', { conversationId })
    await eventually(() => {
      expect(bo.words()).toContain('endOfConversation')
      expect(ann.words()).toContain('endOfConversation')
    })
    expect(await ann.call('sendMessage', say(conversationId, 'still there?'))).toMatchObject({ code: 410 })
    expect(JSON.stringify(ann.heard)).not.toContain('cross')
    const text = await request(url, `/api/customer/transcript/${conversationId}/txt`, {}, ann.participant.id)
    expect(text.status).toBe(200)
    expect(text.text).toContain('Ann: hi')
    expect(text.text).not.toContain('cross')
    expect((await request(url, `/api/customer/transcript/${conversationId}/json`, {}, await login(url))).status).toBe(
      200,
    )
    ann.close()
    bo.close()
  })
})
