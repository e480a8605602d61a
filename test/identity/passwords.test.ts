// Passwords: hashed slowly, compared carefully, and never too many at once.
import { Passwords } from '../../src/identity/passwords'
import { GatewayError } from '../../src/model/errors'

const passwords = new Passwords()
const CHEAP = '$scrypt$ln=4,r=8,p=1$MTIzNDU2Nzg5MDEyMzQ1Ng$iirbsNOv7yRwo6jTUzPSI0KQGRyPJqLfdqEqSnCN37U'

describe('a password’s hash', () => {
  it('names its cost, is another each time, and knows its password', async () => {
    const [one, other] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')])
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(one).not.toBe(other)
    expect(await passwords.verify('correct horse', one)).toBe(true)
    expect(await passwords.verify('correct horsf', one)).toBe(false)
    expect(passwords.needsRehash(one)).toBe(false)
  })
  it('does not mind how an accent was composed', async () => {
    expect(await passwords.verify('caf\u0065\u0301 au lait', await passwords.hash('caf\u00e9 au lait'))).toBe(true)
  })
  it('of another cost is understood, and wants to be made again', async () => {
    expect(await passwords.verify('not this', CHEAP)).toBe(false)
    expect(passwords.needsRehash(CHEAP)).toBe(true)
    expect(passwords.needsRehash('junk')).toBe(true)
  })
  it('that is junk, or would cost too much, opens nothing', async () => {
    for (const encoded of [
      '',
      'junk',
      CHEAP.replace('ln=4', 'ln=31'),
      CHEAP.replace('r=8', 'r=99'),
      CHEAP.slice(0, -1),
    ])
      expect(await passwords.verify('x', encoded)).toBe(false)
  })
  it('is sought as long for somebody unknown as for somebody known', async () => {
    const known = await passwords.hash('correct horse')
    const spent = { known: 0, unknown: 0 }
    for (let i = 0; i < 4; i++)
      for (const who of ['known', 'unknown'] as const) {
        const from = performance.now()
        expect(await passwords.verify('wrong', who === 'known' ? known : null)).toBe(false)
        spent[who] += performance.now() - from
      }
    expect(spent.unknown).toBeGreaterThan(spent.known / 4)
  })
})

describe('many at once', () => {
  it('wait for each other, and beyond the bound are sent away', async () => {
    const busy = new Passwords({ limit: 1, waiting: 2 })
    const asked = await Promise.allSettled([1, 2, 3, 4, 5].map(() => busy.verify('x', CHEAP)))
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
    const refusal = asked[4] as PromiseRejectedResult
    expect(refusal.reason).toBeInstanceOf(GatewayError)
    expect(refusal.reason).toMatchObject({ code: 'tooManyRequests', retryAfter: 2, retryable: true })
    expect(await busy.verify('x', CHEAP)).toBe(false)
  })
})
