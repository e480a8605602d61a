// Tokens are renewed in time, and a wrong clock makes no storm.
import { Credential, expiryOf } from '../../src/client/credential'

const jwt = (exp: number) => `e30.${Buffer.from(JSON.stringify({ exp, note: 'ÿ?>' })).toString('base64url')}.x`
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

it('reads the expiry of a token, and finds none in what is no token', () => {
  expect(expiryOf(jwt(1_800_000_000))).toBe(1_800_000_000)
  expect(['key', 'a.b.c', '', 'e30.e30.x'].map(expiryOf)).toEqual([undefined, undefined, undefined, undefined])
})

it('renews a token before it expires, again and again', async () => {
  let renewals = 0
  const renewal = () => Promise.resolve(jwt(inSeconds(3600 + (renewals += 1))))
  const credential = new Credential({ token: jwt(inSeconds(3600)), renewal })
  await jest.advanceTimersByTimeAsync(2800_000)
  expect(renewals).toBe(0)
  await jest.advanceTimersByTimeAsync(500_000)
  expect(renewals).toBe(1)
  await jest.advanceTimersByTimeAsync(3300_000)
  expect(renewals).toBe(2)
  credential.close()
  await jest.advanceTimersByTimeAsync(86_400_000)
  expect(renewals).toBe(2)
})

it('tries a renewal again that failed, and keeps the token in hand', async () => {
  let renewals = 0
  const renewal = () => {
    renewals += 1
    return renewals === 1 ? Promise.reject(new Error('not now')) : Promise.resolve('second')
  }
  const credential = new Credential({ token: 'first', renewal })
  expect(await credential.renew()).toBe(false)
  expect(credential.token).toBe('first')
  await jest.advanceTimersByTimeAsync(10_000)
  expect(credential.token).toBe('second')
  credential.close()
})

it('asks at most every ten seconds when the clock is wrong and every token looks expired', async () => {
  let renewals = 0
  const renewal = () => Promise.resolve(jwt(inSeconds(-1000 - (renewals += 1))))
  const credential = new Credential({ token: jwt(inSeconds(-1000)), renewal })
  await jest.advanceTimersByTimeAsync(60_000)
  expect(renewals).toBeGreaterThan(3)
  expect(renewals).toBeLessThanOrEqual(6)
  credential.close()
})

it('shares one renewal among all who ask for it at once', async () => {
  let renewals = 0
  const credential = new Credential({ renewal: () => Promise.resolve(`token-${(renewals += 1)}`) })
  expect(await Promise.all([credential.fresh(), credential.fresh(), credential.renew()])).toEqual([
    'token-1',
    'token-1',
    true,
  ])
  credential.close()
})
