// What third parties send: once for each key, within their quota and prefixes, and never to who has opted out.
import { Notifications, type NotificationRequest } from '../../src/conversation/notifications'
import { suppressedAs } from '../../src/conversation/suppression'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { addressOf, note, tenant } from '../support/log-fixtures'

const DAY = 24 * 3_600_000

describe('a notification', () => {
  let under: TestDatabase
  let notifications: Notifications
  beforeEach(async () => {
    under = await openTestMemory()
    const { conversations: store, notifications: shelf } = under.database
    notifications = new Notifications({ store, notifications: shelf, now: under.clock.now })
  })
  afterEach(() => under.close())

  const wish = (more: Partial<NotificationRequest> = {}): NotificationRequest => ({
    tenant,
    sender: { keyId: 'k1', dailyQuota: null, prefixes: [] },
    to: addressOf('+4915'),
    content: { text: 'sale', attachments: [], extras: {} },
    digest: 'd1',
    idempotencyKey: null,
    expiresAt: null,
    ...more,
  })
  const claim = () =>
    under.database.deliveries.claim(tenant, { channel: 'sms', account: '', lease: 'l', limit: 99, leaseMs: 1_000 })
  const code = async (sending: Promise<unknown>) => {
    const outcome: unknown = await sending.catch((error: unknown) => error)
    return outcome instanceof Error && 'code' in outcome ? outcome.code : 'sent'
  }

  it('waits in the outbox for its channel, without a conversation', async () => {
    const { id, state } = await notifications.send(wish({ expiresAt: under.clock.in(DAY) }))
    expect(state).toBe('waiting')
    expect(await claim()).toMatchObject([
      { notificationId: id, conversationId: null, to: addressOf('+4915'), expiresAt: under.clock.in(DAY) },
    ])
    expect(await notifications.find(tenant, id, () => true)).toMatchObject({ id, keyId: 'k1', state: 'waiting' })
  })
  it('is found by nobody who may not ask', async () => {
    const { id } = await notifications.send(wish())
    await expect(notifications.find(tenant, id, () => false)).rejects.toMatchObject({ code: 'notFound' })
    await expect(notifications.find(tenant, 'unknown', () => true)).rejects.toMatchObject({ code: 'notFound' })
  })
  it('goes out once for each key, however many ask at once, and again after a day', async () => {
    const sent = await Promise.all(
      Array.from({ length: 20 }, () => notifications.send(wish({ idempotencyKey: 'once' }))),
    )
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    expect(await claim()).toHaveLength(1)
    under.clock.forward(DAY)
    const later = await notifications.send(wish({ idempotencyKey: 'once' }))
    expect(later.id).not.toBe(sent[0]!.id)
  })
  it('is a conflict under a key that sent something else, and another sender’s key is another key', async () => {
    await notifications.send(wish({ idempotencyKey: 'once' }))
    const other = wish({ idempotencyKey: 'once', digest: 'd2' })
    expect(await code(notifications.send(other))).toBe('conflict')
    const sender = { keyId: 'k2', dailyQuota: null, prefixes: [] }
    expect(await code(notifications.send({ ...other, sender }))).toBe('sent')
  })
  it('is refused beyond the key’s prefixes', async () => {
    const sender = { keyId: 'k1', dailyQuota: null, prefixes: ['+49', '+43'] }
    expect(await code(notifications.send(wish({ sender })))).toBe('sent')
    expect(await code(notifications.send(wish({ sender, to: addressOf('+33') })))).toBe('forbidden')
  })
  it('is refused when the day’s quota is used up, however many ask at once, until the next day', async () => {
    const sender = { keyId: 'k1', dailyQuota: 3, prefixes: [] }
    const asked = Array.from({ length: 8 }, (_, i) =>
      code(notifications.send(wish({ sender, to: addressOf(`+${i}`) }))),
    )
    const codes = await Promise.all(asked)
    expect(codes.filter((one) => one === 'sent')).toHaveLength(3)
    expect(codes.filter((one) => one === 'tooManyRequests')).toHaveLength(5)
    under.clock.forward(DAY)
    expect(await code(notifications.send(wish({ sender })))).toBe('sent')
  })
  it('costs no quota when it is repeated or refused', async () => {
    const sender = { keyId: 'k1', dailyQuota: 2, prefixes: ['+49'] }
    const once = wish({ sender, idempotencyKey: 'once' })
    for (let i = 0; i < 3; i++) expect(await code(notifications.send(once))).toBe('sent')
    expect(await code(notifications.send(wish({ sender, to: addressOf('+33') })))).toBe('forbidden')
    expect(await code(notifications.send(wish({ sender })))).toBe('sent')
    expect(await code(notifications.send(wish({ sender })))).toBe('tooManyRequests')
  })
  it('is refused to an address that has opted out, on whichever of our numbers, until it opts in', async () => {
    const address = suppressedAs('sms', '+4915')
    await note(under.database.conversations, { kind: 'suppress', address })
    const elsewhere = { ...addressOf('+4915'), account: '+2000' }
    for (const to of [addressOf('+4915'), elsewhere])
      expect(await code(notifications.send(wish({ to })))).toBe('forbidden')
    expect(await code(notifications.send(wish({ to: { ...elsewhere, channel: 'whatsapp' } })))).toBe('sent')
    await note(under.database.conversations, { kind: 'unsuppress', address })
    expect(await code(notifications.send(wish()))).toBe('sent')
  })
})
