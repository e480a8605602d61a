// What connectors can reach: their own channel and account, their own deliveries, and nothing by knowing a number.
import { eventually } from '../support/eventually'
import { connect, customer, init, post, say } from '../support/people'
import { ACCOUNT, openTown, PHONE, UNKNOWN_PHONE, type Town } from './town'

let town: Town
beforeAll(async () => {
  town = await openTown('handle')
})
afterAll(() => town.close())

describe('a registration', () => {
  const wishes = [
    { id: 'sms', channel: 'sms', account: ACCOUNT },
    { id: 'sms', channel: 'SMS', serviceIdentifier: ACCOUNT, instance: '2' },
    { id: 'sms', acknowledges: true },
    { id: 'echo', channel: 'sms', account: ACCOUNT },
  ]
  it.each(['echo', 'smsOfAnother', 'campaign', 'bot'] as const)('is refused to the key %s', async (key) => {
    const { url, keys } = town
    const rogue = await connect(url, { auth: { token: keys[key].secret } })
    for (const wish of wishes) expect(await rogue.call('registerConnector', wish)).toMatchObject({ code: 403 })
    const byKey = await connect(url)
    for (const wish of wishes) {
      const body = { ...wish, key: keys[key].secret }
      expect(await byKey.call('registerConnector', body)).toMatchObject({ code: 403 })
    }
    await town.sentinel(`fenced by ${key}`)
    for (const one of [rogue, byKey]) {
      expect(one.heard.filter(({ event }) => event !== 'ack')).toEqual([])
      one.close()
    }
  })
  it('is refused to customers, agents and whoever has no key', async () => {
    const { url, agents } = town
    const ann = await customer(url)
    const agent = await connect(url, { auth: { token: agents.zoe.token } })
    const nobody = await connect(url)
    for (const wish of wishes) {
      expect(await ann.call('registerConnector', wish)).toMatchObject({ code: 401 })
      expect(await agent.call('registerConnector', wish)).toMatchObject({ code: 403 })
      expect(await nobody.call('registerConnector', { ...wish, key: 'flk_guessed' })).toMatchObject({ code: 401 })
    }
    await town.sentinel('fenced by nobody')
    for (const one of [ann, agent, nobody]) one.close()
  })

  it('is refused when one socket takes up ever more places, and is not when it takes one again', async () => {
    const { url, keys } = town
    const greedy = await connect(url, { auth: { token: keys.echo.secret } })
    const register = (i: number) => greedy.call('registerConnector', { id: 'echo', instance: `${i}` })
    for (let i = 0; i < 256; i += 1) expect(await register(i)).toMatchObject({ code: 200 })
    expect(await register(256)).toMatchObject({ code: 429 })
    expect(await register(0)).toMatchObject({ code: 200 })
    greedy.close()
  })

  it('that is sent twice at once counts once, and the last of several sockets keeps the channel', async () => {
    const { url, keys } = town
    const wish = { id: 'echo', channel: 'echo', acknowledges: true }
    const open = () => connect(url, { auth: { token: keys.echo.secret } })
    const [first, second, third] = [await open(), await open(), await open()]
    const delivered: string[] = []
    for (const [name, { socket }] of Object.entries({ first, second, third }))
      socket.on('messageArrived', (_message: object, answer: (reply: object) => void) => {
        delivered.push(name)
        answer({ code: 200 })
      })
    await first.call('registerConnector', wish)
    const all = [second, second, third, third].map((one) => one.call('registerConnector', wish))
    await Promise.allSettled(all)
    await eventually(() => expect([first, second].map(({ socket }) => socket.connected)).toEqual([false, false]))
    third.close()
    const last = await open()
    last.socket.on('messageArrived', (_message: object, answer: (reply: object) => void) => {
      delivered.push('last')
      answer({ code: 200 })
    })
    await last.call('registerConnector', wish)
    // A pump that was forgotten would lease these to a socket that is gone.
    const sending = Array.from({ length: 20 }, (_, i) =>
      post(url, '/api/channels/echo/messages', { to: `+${i}`, text: 'buy' }, keys.campaignElsewhere.secret),
    )
    for (const { status } of await Promise.all(sending)) expect(status).toBe(202)
    await eventually(() => expect(delivered).toEqual(Array.from({ length: 20 }, () => 'last')), 5_000)
    last.close()
  })
})

describe('whoever knows a phone number', () => {
  it('gets nothing by it: not by init, not by sending, not on the web', async () => {
    const { url, victims, keys } = town
    const before = await town.state()
    const [eve, nobody] = [await customer(url, { refId: PHONE, phone: PHONE }), await connect(url)]
    const rogue = await connect(url, { auth: { token: keys.echo.secret } })
    const neighbour = await connect(url, { auth: { token: keys.smsOfAnother.secret } })
    const tell = async (refId: string) => {
      const wish = { channel: 'sms', account: ACCOUNT, refId }
      const sent = { ...wish, type: 'ChatMessage', text: 'it is me', externalMessageId: `x-${refId}` }
      const report = { ...wish, type: 'ActivityMessage', activityType: 'delivered' }
      const answers: unknown[] = []
      for (const one of [eve, nobody, rogue, neighbour]) {
        answers.push(await one.call('sendMessage', sent), await one.call('sendMessage', { ...report, deliveryId: 'd' }))
      }
      for (const key of [undefined, keys.echo.secret, keys.smsOfAnother.secret]) {
        const { status, text } = await post(url, '/api/customer/init', wish, key)
        answers.push({ code: status, text })
      }
      return answers
    }
    const known = await tell(PHONE)
    expect(known).toEqual(await tell(UNKNOWN_PHONE))
    for (const answer of known) expect([400, 401, 403]).toContain((answer as { code: number }).code)
    const { conversationId } = await init(url, { refId: PHONE, phone: PHONE, email: 'ann@example.org' })
    expect(Object.values(victims).map((victim) => victim.conversationId)).not.toContain(conversationId)
    expect(await town.state()).toEqual(before)
    await town.sentinel('a number is no key')
    for (const one of [eve, nobody, rogue, neighbour]) one.close()
  })

  it('has a conversation of its own when it is the connector of another account', async () => {
    const { url, victims, keys } = town
    const neighbour = await connect(url, { auth: { token: keys.smsOfAnother.secret } })
    const wish = { channel: 'sms', refId: PHONE, type: 'ChatMessage', text: 'hi', externalMessageId: 'n1' }
    const reply = await neighbour.call('sendMessage', wish)
    expect(reply).toMatchObject({ code: 200, seq: 2 })
    expect(reply['conversationId']).not.toBe(victims.sms.conversationId)
    neighbour.close()
  })
})

describe('receipts', () => {
  it('of a connector raise nothing that another one delivered, and say the same for what never was', async () => {
    const { url, victims, keys } = town
    const before = await town.state()
    const rogues = [
      await connect(url, { auth: { token: keys.echo.secret } }),
      await connect(url, { auth: { token: keys.smsOfAnother.secret } }),
    ]
    const { messageId } = victims.sms
    for (const rogue of rogues) {
      const report = async (info: object) => {
        const reply = await rogue.call('sendMessage', { type: 'ActivityMessage', activityType: 'read', info })
        return reply.code
      }
      expect(await report({ messageId })).toBe(await report({ messageId: `${messageId.slice(0, 22)}.999` }))
      expect(await report({ deliveryId: town.ids.deadLetter })).toBe(await report({ deliveryId: 'unknown' }))
    }
    expect(await town.state()).toEqual(before)
    await town.sentinel('no receipts of others')
    for (const rogue of rogues) rogue.close()
  })

  it('tell a customer nothing about whispers: an internal id names no message, whatever stands there', async () => {
    const { victims } = town
    const { ann, bo, conversationId } = victims.web
    await ann.call('sendMessage', say(conversationId, 'one more'))
    const whispered = await bo.call('sendMessage', say(conversationId, 'psst', { tag: 'whisper' }))
    const before = await town.state()
    const read = (messageId: string) =>
      ann.call('sendMessage', { conversationId, activityType: 'read', info: { messageId } })
    const unknown = await read(`${conversationId}.9999`)
    expect(unknown).toMatchObject({ code: 400 })
    expect(await read(String(whispered['id']))).toEqual(unknown)
    for (let position = 1; position <= Number(whispered['seq']) + 1; position += 1)
      expect(await read(`${conversationId}.i${position}`)).toEqual(unknown)
    expect(await town.state()).toEqual(before)
  })

  it('never fall and never repeat, by whatever id the message is named', async () => {
    const { victims } = town
    const { ann, bo, cy, conversationId } = victims.web
    const said = await bo.call('sendMessage', say(conversationId, 'read me'))
    const receipt = (activityType: string, messageId: string) =>
      ann.call('sendMessage', { conversationId, activityType, info: { messageId } })
    expect(await receipt('read', String(said['id']))).toMatchObject({ code: 200 })
    await receipt('delivered', `${conversationId}.i${Number(said['seq'])}`)
    await receipt('read', `${conversationId}.i${Number(said['seq'])}`)
    await receipt('read', String(said['id']))
    await bo.call('sendMessage', say(conversationId, 'the end'))
    await eventually(() => expect(cy.words().at(-1)).toBe('the end'))
    expect(cy.words().slice(cy.words().lastIndexOf('read me'))).toEqual(['read me', 'read', 'the end'])
  })
})
