// Limits: whose address it is whatever a header claims, and how much anybody gets.
import fc from 'fast-check'
import { addressKey, clientAddress, Limits, type LimitName, Networks } from '../../src/http/limits'

const none = new Networks([])
const proxies = new Networks(['10.0.0.0/8', 'fd00::/8', '192.0.2.7'])

describe('the address of a client', () => {
  it('is the socket’s, whatever the header says, where no proxy is trusted', () => {
    expect(clientAddress({ socketAddress: '203.0.113.9', forwardedFor: '1.2.3.4' }, none)).toBe('203.0.113.9')
    expect(clientAddress({ socketAddress: '203.0.113.9', forwardedFor: '1.2.3.4' }, proxies)).toBe('203.0.113.9')
  })
  it('is the first hop from the right that is no proxy of ours', () => {
    const request = { socketAddress: '10.0.0.1', forwardedFor: '127.0.0.1, 198.51.100.4, 10.1.1.1 ,192.0.2.7' }
    expect(clientAddress(request, proxies)).toBe('198.51.100.4')
    expect(clientAddress({ ...request, forwardedFor: ['127.0.0.1', '198.51.100.4', '10.1.1.1'] }, proxies)).toBe(
      '198.51.100.4',
    )
  })
  it('is a proxy’s own when nobody stands behind it', () => {
    expect(clientAddress({ socketAddress: '10.0.0.1' }, proxies)).toBe('10.0.0.1')
    expect(clientAddress({ socketAddress: '10.0.0.1', forwardedFor: '10.0.0.2' }, proxies)).toBe('10.0.0.2')
    expect(clientAddress({ socketAddress: '10.0.0.1', forwardedFor: '1.2.3.4, junk' }, proxies)).toBe('10.0.0.1')
  })
  it('is read without port, brackets, zone and IPv6 coat', () => {
    const from = (forwardedFor: string) => clientAddress({ socketAddress: '::ffff:10.0.0.1', forwardedFor }, proxies)
    expect(from('203.0.113.9:4711')).toBe('203.0.113.9')
    expect(from('[2001:DB8::1]:4711')).toBe('2001:db8::1')
    expect(from('fe80::1%eth0')).toBe('fe80::1')
    expect(from('::ffff:cb00:7109')).toBe('203.0.113.9')
    expect(from('')).toBe('10.0.0.1')
    expect(clientAddress({ socketAddress: undefined }, proxies)).toBe('unknown')
  })

  const client = fc.oneof(fc.ipV4(), fc.ipV6()).filter((address) => !proxies.has(address))
  const ours = fc.oneof(
    fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.0.${a}.${b}`),
    fc.nat(0xffff).map((n) => `fd00::${n.toString(16)}`),
  )
  it('cannot be chosen by whoever writes the header', () => {
    fc.assert(
      fc.property(client, fc.array(ours, { minLength: 1, maxLength: 5 }), fc.array(fc.string()), (real, hops, lies) => {
        const [last = '', ...rest] = [...hops].reverse()
        const honest = [real, ...rest.reverse()]
        const expected = clientAddress({ socketAddress: real }, none)
        const seen = (list: readonly string[]) =>
          clientAddress({ socketAddress: last, forwardedFor: list.join(', ') }, proxies)
        expect(seen(honest)).toBe(expected)
        expect(seen([...lies, ...honest])).toBe(expected)
        expect(clientAddress({ socketAddress: real, forwardedFor: lies.join(',') }, proxies)).toBe(expected)
      }),
    )
  })
  it('is an address or unknown, and is found quickly, whatever comes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (socketAddress, forwardedFor) => {
        const found = clientAddress({ socketAddress, forwardedFor }, new Networks(['0.0.0.0/0', '::/0']))
        expect(found).toMatch(/^(unknown|[\d.]+|[0-9a-f:.]+)$/)
      }),
    )
    const from = performance.now()
    clientAddress({ socketAddress: '10.0.0.1', forwardedFor: '10.0.0.1,'.repeat(50_000) }, proxies)
    clientAddress({ socketAddress: '10.0.0.1', forwardedFor: '['.repeat(50_000) }, proxies)
    clientAddress({ socketAddress: '10.0.0.1', forwardedFor: '%'.repeat(50_000) }, proxies)
    expect(performance.now() - from).toBeLessThan(200)
  })
})

describe('what limits count by', () => {
  it('is an IPv4 address, or the /64 of an IPv6 one', () => {
    expect(addressKey('203.0.113.9')).toBe('203.0.113.9')
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
    expect(addressKey('2001:db8:1:2::9')).toBe('2001:db8:1:2::/64')
    expect(addressKey('2001:db8::1')).toBe('2001:db8:0:0::/64')
    expect(addressKey('::1')).toBe('0:0:0:0::/64')
    expect(addressKey('unknown')).toBe('unknown')
  })
  it('is the same for all addresses of a /64 and another beyond it', () => {
    const group = fc.nat(0xffff).map((n) => n.toString(16))
    const groups = fc.array(group, { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(groups, groups, groups, (network, host, other) => {
        const key = (head: string[], tail: string[]) =>
          addressKey(clientAddress({ socketAddress: [...head, ...tail].join(':') }, none))
        fc.pre(![...network, ...host].join(':').startsWith('0:0:0:0:0:ffff'))
        expect(key(network, host)).toBe(key(network, other))
        if (network.join() !== other.join()) expect(key(network, host)).not.toBe(key(other, host))
      }),
    )
  })
})

describe('networks', () => {
  it('know their addresses and nothing else', () => {
    expect(proxies.has('10.255.0.1')).toBe(true)
    expect(proxies.has('::ffff:10.0.0.1')).toBe(true)
    expect(proxies.has('11.0.0.1')).toBe(false)
    expect(proxies.has('fd12::1')).toBe(true)
    expect(proxies.has('192.0.2.7')).toBe(true)
    expect(proxies.has('192.0.2.8')).toBe(false)
    expect(proxies.has('10.0.0.1.example.org')).toBe(false)
    expect(new Networks(['127.0.0.0/8', '::1/128']).has('::1')).toBe(true)
  })
})

describe('a limit', () => {
  beforeEach(() => jest.useFakeTimers({ now: new Date('2026-11-20T10:00:00Z') }))
  afterEach(() => jest.useRealTimers())
  const times = async (limits: Limits, n: number, key = 'a', name: LimitName = 'loginPerUser') => {
    for (let i = 0; i < n; i++) await limits.consume(name, key)
  }

  it('lets so many through, then says how long to wait, then lets through again', async () => {
    const refused: string[] = []
    const limits = new Limits({ enabled: true, onLimited: (name) => refused.push(name) })
    await times(limits, 5)
    jest.advanceTimersByTime(20_500)
    await expect(times(limits, 1)).rejects.toMatchObject({
      code: 'tooManyRequests',
      retryAfter: 40,
      message: 'Too much at once. Try again in 40 s.',
    })
    expect(refused).toEqual(['loginPerUser'])
    await times(limits, 1, 'another')
    await times(limits, 5, 'a', 'loginPerAddress')
    jest.advanceTimersByTime(39_600)
    await times(limits, 5)
  })
  it('tells long keys apart', async () => {
    const limits = new Limits({ enabled: true })
    await times(limits, 5, 'x'.repeat(1e5))
    await times(limits, 5, `${'x'.repeat(1e5)}y`)
    await expect(times(limits, 1, 'x'.repeat(1e5))).rejects.toMatchObject({ code: 'tooManyRequests' })
  })
  it('keeps whom it knows apart, and lets the crowd beyond its memory share', async () => {
    const limits = new Limits({ enabled: true, maxKeys: 10 })
    await times(limits, 4, 'known')
    let refused = 0
    for (let i = 0; i < 1_000; i++) await limits.consume('loginPerUser', `stranger ${i}`).catch(() => refused++)
    expect(refused).toBe(1_000 - 9 - 64 * 5)
    await times(limits, 1, 'known')
    await expect(times(limits, 1, 'known')).rejects.toMatchObject({ code: 'tooManyRequests' })
    jest.advanceTimersByTime(61_000)
    await times(limits, 5, 'stranger 999')
  })
  it('can be switched off', async () => {
    await times(new Limits({ enabled: false }), 1_000)
  })
})
