// §2 attachments, and the extra keys of old clients.
import { carrier, inbound, texter } from '../../../support/carrier'
import { eventually } from '../../../support/eventually'
import { agentIn, customer, login, pictureOf, say } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const gateway = withGateway()
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})
/** What an agent gets of what a customer sends. */
async function sent(body: object) {
  const ann = await customer(gateway.url)
  const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
  const reply = await ann.call('sendMessage', { ...say(ann.conversationId, 'see'), ...body })
  if (reply.code !== 200) return { reply, arrived: null, conversationId: ann.conversationId }
  await eventually(() => bo.words().includes('see'))
  return { reply, arrived: bo.arrived().find(({ text }) => text === 'see')!, conversationId: ann.conversationId }
}

describe('§2 attachments {type,name,contentUrl,thumbnailUrl}', () => {
  const full = {
    type: 'image/png',
    name: 'a.png',
    contentUrl: 'https://f.example/a',
    thumbnailUrl: 'http://f.example/t',
  }
  const { type, contentUrl, thumbnailUrl, name } = full
  it.each([
    ['as they are', full, full],
    ['`contentType` for type', { contentType: type, name, contentUrl }, { type, name, contentUrl }],
    ['`mimeType` for type', { mimeType: type, name, contentUrl }, { type, name, contentUrl }],
    ['`_contentUrl`, `_thumbnailUrl`', { type, name, _contentUrl: contentUrl, _thumbnailUrl: thumbnailUrl }, full],
    ['the link alone', { contentUrl }, { type: '', name: '', contentUrl }],
    [
      'a small `data:` link, as a file of the conversation',
      { contentUrl: 'data:text/plain,hello', name: 'hello.txt' },
      {
        type: 'text/plain',
        name: 'hello.txt',
        size: 5,
        contentUrl: expect.stringMatching(/^http.+hello\.txt$/) as string,
      },
    ],
    [
      'HTTP in capitals',
      { contentUrl: 'HTTPS://f.example/a' },
      { type: '', name: '', contentUrl: 'HTTPS://f.example/a' },
    ],
  ])('%s', async (_row, given, arrives) => {
    const { arrived } = await sent({ attachments: [given] })
    expect(arrived!['attachments']).toEqual([arrives])
  })
  it.each([
    ['`file:` is refused although the document lists it', { contentUrl: 'file:///etc/passwd' }],
    ['javascript:', { contentUrl: 'javascript:alert(1)' }],
    ['blob:', { contentUrl: 'blob:https://f.example/1' }],
    ['no scheme at all', { contentUrl: '/a.png' }],
    ['a thumbnail of another scheme', { contentUrl, thumbnailUrl: 'file:///a' }],
    ['no link', { type, name }],
  ])('%s: 400', async (_row, attachment) => {
    const { reply } = await sent({ attachments: [attachment] })
    expect(reply).toMatchObject({ code: 400, error: { code: 'invalidRequest' } })
    expect(JSON.stringify(reply)).not.toMatch(/passwd|alert/)
  })
  it('a message may be attachments alone', async () => {
    const ann = await customer(gateway.url)
    const reply = await ann.call('sendMessage', { conversationId: ann.conversationId, attachments: [full] })
    expect(reply).toMatchObject({ code: 200 })
  })
})

describe('§2 an old client’s extra keys pass through unchanged', () => {
  const extras = {
    buttons: [{ label: 'Yes', value: 1 }],
    language: 'UR ',
    processByBot: true,
    botResponseType: 'carousel',
    queue: 'Sales',
    subject: 'Order 7',
    firstName: 'Zed',
    Mixed_Case: 'Ü',
    nothing: 0,
  }
  it('live and in the replay', async () => {
    const { arrived, conversationId } = await sent(extras)
    expect(arrived).toMatchObject(extras)
    const { messages } = await pictureOf(await agentIn(gateway.url, conversationId, supervisor))
    expect(messages.find(({ text }) => text === 'see')).toMatchObject(extras)
  })
  it('to a connector', async () => {
    const sms = await carrier(gateway.url)
    const { conversationId } = await texter(gateway.url, '+1')
    await sms.call('joinConversation', { conversationId })
    const bo = await agentIn(gateway.url, conversationId, supervisor)
    await bo.call('sendMessage', say(conversationId, 'see', extras))
    await eventually(() => sms.deliveries.length === 1)
    expect(sms.deliveries[0]).toMatchObject({ ...extras, text: 'see' })
  })
  it('in the one step, but for those that say with what the conversation opens', async () => {
    const sms = await carrier(gateway.url)
    const reply = await sms.call('sendMessage', inbound('+2', 'see', extras))
    const bo = await agentIn(gateway.url, reply['conversationId'] as string, supervisor)
    const { conversation, messages } = await pictureOf(bo)
    expect(conversation).toMatchObject({ language: 'UR', subject: 'Order 7', customer: { firstName: 'Zed' } })
    const { buttons, processByBot, botResponseType } = extras
    expect(messages[1]).toMatchObject({ text: 'see', buttons, processByBot, botResponseType })
  })
  it('never over a name of the server’s', async () => {
    const forged = {
      id: 'x',
      seq: 99,
      timestamp: 'never',
      participant: 'x',
      code: 500,
      error: 'x',
      key: 'x',
      token: 'x',
    }
    const { arrived, reply } = await sent({
      ...forged,
      channel: 'sms',
      refId: 'somebody',
      account: 'x',
      deliveryId: 'x',
    })
    expect(arrived).toMatchObject({ id: reply['id'], seq: 3, channel: 'web', refId: 'r1' })
    for (const key of ['participant', 'code', 'error', 'key', 'token', 'deliveryId'])
      expect(arrived).not.toHaveProperty(key)
  })
})
