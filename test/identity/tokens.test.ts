// Tokens and handles open what they were made for, and nothing else opens it.
import { createHash, createHmac, generateKeyPairSync, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { SignJWT, UnsecuredJWT } from 'jose'
import { Tokens } from '../../src/identity/tokens'
import { type AccountId, type ConversationId, DEFAULT_TENANT, type Tenant } from '../../src/model/ids'
import { newAccountId, newConversationId, newParticipantId } from '../../src/model/new-id'

const OLD = 'an old secret key that has at least 32 bytes'
const NEW = 'a new secret key that has at least 32 bytes!'
const START = new Date('2026-11-20T10:00:00.000Z')

function clock(at = START) {
  let now = at.getTime()
  return { now: () => new Date(now), pass: (seconds: number) => (now += seconds * 1000) }
}
const customer = {
  tenant: DEFAULT_TENANT,
  conversationId: newConversationId(),
  participantId: newParticipantId(),
}
const agent = { tenant: DEFAULT_TENANT, accountId: newAccountId(), role: 'agent', version: 3 } as const

const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url')
const read = (token: string, index: 0 | 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[index]!, 'base64url').toString()) as Record<string, unknown>

describe('a customer’s token', () => {
  const time = clock()
  const tokens = new Tokens({ secretKeys: [NEW], now: time.now })

  it('says whose it is and until when', async () => {
    const { token, expiresAt } = await tokens.signCustomer(customer)
    expect(expiresAt).toBe(START.getTime() + 24 * 3_600_000)
    expect(await tokens.verifyCustomer(token)).toEqual({ ...customer, expiresAt })
    expect(read(token, 1)).toMatchObject({
      iss: 'fairlead',
      aud: 'fairlead:customer',
      sub: customer.participantId,
      cid: customer.conversationId,
      tenant: 'default',
      role: 'customer',
    })
  })
  it('is another each time', async () => {
    expect((await tokens.signCustomer(customer)).token).not.toBe((await tokens.signCustomer(customer)).token)
  })
  it('is no staff token, nor the other way round', async () => {
    expect(await tokens.verifyStaff((await tokens.signCustomer(customer)).token)).toBeNull()
    expect(await tokens.verifyCustomer((await tokens.signStaff(agent)).token)).toBeNull()
  })
  it('ends after a day and the clocks’ tolerance of less than a minute', async () => {
    const clocked = clock()
    const mine = new Tokens({ secretKeys: [NEW], now: clocked.now })
    const { token } = await mine.signCustomer(customer)
    clocked.pass(24 * 3600 - 1)
    expect(await mine.verifyCustomer(token)).not.toBeNull()
    clocked.pass(61)
    expect(await mine.verifyCustomer(token)).toBeNull()
  })
  it('is void when a letter of it was edited', async () => {
    const { token } = await tokens.signCustomer(customer)
    const [head, , signature] = token.split('.')
    const edited = part({ ...read(token, 1), sub: newParticipantId() })
    expect(await tokens.verifyCustomer(`${head!}.${edited}.${signature!}`)).toBeNull()
    expect(await tokens.verifyCustomer(`${token}x`)).toBeNull()
    expect(await tokens.verifyCustomer(token.slice(0, -4))).toBeNull()
  })
  it('is void without a signature (alg none)', async () => {
    const { token } = await tokens.signCustomer(customer)
    expect(await tokens.verifyCustomer(new UnsecuredJWT(read(token, 1)).encode())).toBeNull()
    const head = part({ ...read(token, 0), alg: 'none' })
    expect(await tokens.verifyCustomer(`${head}.${token.split('.')[1]!}.`)).toBeNull()
    expect(await tokens.verifyCustomer(`${head}.${token.split('.')[1]!}.${token.split('.')[2]!}`)).toBeNull()
  })
  it('is void under another algorithm, with or without our key’s name', async () => {
    const { token } = await tokens.signCustomer(customer)
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const { kid } = read(token, 0) as { kid: string }
    const rs = await new SignJWT(read(token, 1)).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey)
    expect(await tokens.verifyCustomer(rs)).toBeNull()
    // The confusion attack: an HMAC under the text of a public key.
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    const signed = `${part({ alg: 'HS256', kid })}.${token.split('.')[1]!}`
    const mac = createHmac('sha256', pem).update(signed).digest('base64url')
    expect(await tokens.verifyCustomer(`${signed}.${mac}`)).toBeNull()
    // The right key, but an algorithm that is not on the list.
    const derived = Buffer.from(hkdfSync('sha256', NEW, '', 'fairlead customer token', 32))
    const hs512 = await new SignJWT(read(token, 1))
      .setProtectedHeader({ alg: 'HS512', kid })
      .sign(Buffer.concat([derived, derived]))
    expect(await tokens.verifyCustomer(hs512)).toBeNull()
  })
  it('is void with another audience, issuer, role or without an end, even under the right key', async () => {
    const { token } = await tokens.signCustomer(customer)
    const derived = new Uint8Array(hkdfSync('sha256', NEW, '', 'fairlead customer token', 32))
    const forge = (change: Record<string, unknown>) =>
      new SignJWT({ ...read(token, 1), ...change })
        .setProtectedHeader({ alg: 'HS256', kid: read(token, 0)['kid'] as string })
        .sign(derived)
    expect(await tokens.verifyCustomer(await forge({}))).not.toBeNull()
    for (const change of [
      { aud: 'fairlead:staff' },
      { iss: 'another' },
      { role: 'agent' },
      { exp: undefined },
      { cid: undefined },
      { tenant: 7 },
      { nbf: START.getTime() / 1000 + 3600 },
    ])
      expect(await tokens.verifyCustomer(await forge(change))).toBeNull()
  })
  it('does not hold the signing key’s own bytes in its head', async () => {
    const { kid } = read((await tokens.signCustomer(customer)).token, 0)
    expect(kid).toMatch(/^[\w-]{8}$/)
    expect(createHash('sha256').update(NEW).digest('base64url')).not.toContain(kid)
  })
  it('is nothing at all when it is junk', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (junk) => {
        expect(await tokens.verifyCustomer(junk)).toBeNull()
        expect(await tokens.verifyStaff(`${junk}.${junk}.${junk}`)).toBeNull()
      }),
    )
    expect(await tokens.verifyCustomer('x.'.repeat(1e6))).toBeNull()
  })
})

describe('a staff token', () => {
  it('says who, as what, and of which version of the account, for 12 h', async () => {
    const time = clock()
    const tokens = new Tokens({ secretKeys: [NEW], now: time.now })
    const { token, expiresAt } = await tokens.signStaff(agent)
    expect(await tokens.verifyStaff(token)).toEqual({ ...agent, expiresAt })
    expect(expiresAt).toBe(START.getTime() + 12 * 3_600_000)
    time.pass(12 * 3600 + 61)
    expect(await tokens.verifyStaff(token)).toBeNull()
  })
})

describe('rotating the secret key', () => {
  const before = new Tokens({ secretKeys: [OLD] })
  const during = new Tokens({ secretKeys: [NEW, OLD] })
  const after = new Tokens({ secretKeys: [NEW] })

  it('lets tokens of the second key in until it is taken away, and signs with the first', async () => {
    const { token: old } = await before.signCustomer(customer)
    const { token: fresh } = await during.signCustomer(customer)
    expect(await during.verifyCustomer(old)).toMatchObject(customer)
    expect(await after.verifyCustomer(old)).toBeNull()
    expect(await after.verifyCustomer(fresh)).toMatchObject(customer)
    expect(await before.verifyCustomer(fresh)).toBeNull()
  })
  it('does the same for handles', () => {
    const { tenant, conversationId, participantId } = customer
    const old = before.handle(tenant, conversationId, participantId)
    expect(during.isHandle(old, tenant, conversationId, participantId)).toBe(true)
    expect(after.isHandle(old, tenant, conversationId, participantId)).toBe(false)
    expect(during.handle(tenant, conversationId, participantId)).toBe(
      after.handle(tenant, conversationId, participantId),
    )
  })
  it('cannot do without a key', () => {
    expect(() => new Tokens({ secretKeys: [] })).toThrow('Tokens need a secret key.')
  })
})

describe('a handle', () => {
  const tokens = new Tokens({ secretKeys: [NEW] })
  const { tenant, conversationId, participantId } = customer

  it('is stable, has 192 bits, and is not the public id', () => {
    const handle = tokens.handle(tenant, conversationId, participantId)
    expect(handle).toMatch(/^[\w-]{32}$/)
    expect(handle).toBe(tokens.handle(tenant, conversationId, participantId))
    expect(tokens.isHandle(handle, tenant, conversationId, participantId)).toBe(true)
    expect(tokens.isHandle(participantId, tenant, conversationId, participantId)).toBe(false)
  })
  it('serves for one participant of one conversation of one tenant', () => {
    const handle = tokens.handle(tenant, conversationId, participantId)
    expect(tokens.isHandle(handle, 'other' as Tenant, conversationId, participantId)).toBe(false)
    expect(tokens.isHandle(handle, tenant, newConversationId(), participantId)).toBe(false)
    expect(tokens.isHandle(handle, tenant, conversationId, newParticipantId())).toBe(false)
    expect(tokens.isHandle(handle, tenant, conversationId, null)).toBe(false)
  })
  it('never opens what does not exist, whatever is presented', () => {
    const decoy = tokens.handle(tenant, 'gone' as ConversationId, 'nobody' as never)
    expect(tokens.isHandle(decoy, tenant, 'gone' as ConversationId, null)).toBe(false)
  })
  it('is refused when anything is added to it', () => {
    const handle = tokens.handle(tenant, conversationId, participantId)
    fc.assert(
      fc.property(fc.string(), (junk) => {
        expect(tokens.isHandle(junk, tenant, conversationId, participantId)).toBe(false)
        expect(tokens.isHandle(`${handle}${junk}`, tenant, conversationId, participantId)).toBe(junk === '')
      }),
    )
    expect(tokens.isHandle(handle.slice(1), tenant, conversationId, participantId)).toBe(false)
  })
  it('does not confuse where one id ends and the next begins', () => {
    const one = tokens.handle(tenant, 'ab' as ConversationId, 'c' as never)
    expect(tokens.isHandle(one, tenant, 'a' as ConversationId, 'bc' as never)).toBe(false)
  })
  it('is no account’s token', async () => {
    const { token } = await tokens.signStaff({ ...agent, accountId: 'a1' as AccountId })
    expect(tokens.isHandle(token, tenant, conversationId, participantId)).toBe(false)
  })
})
