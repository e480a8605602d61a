// Where an instance of Redis is, as a URL says it, and which instance a name belongs to.
import { nameOfAddress, pick, readAddress } from '../../src/bus/redis-address'

describe('the address of a Redis', () => {
  it('is read from its URL, credentials and all', () => {
    expect(readAddress('redis://cache')).toEqual({
      host: 'cache',
      port: 6379,
      username: undefined,
      password: undefined,
      database: 0,
      tls: false,
    })
    expect(readAddress('rediss://ann:p%40ss%2C@[::1]:7000/12')).toEqual({
      host: '::1',
      port: 7000,
      username: 'ann',
      password: 'p@ss,',
      database: 12,
      tls: true,
    })
  })
  it.each(['', 'cache', 'http://:hush@cache', 'redis://:hush@cache/x', 'redis://'])(
    'is refused without it: %s',
    (url) => {
      expect(() => readAddress(url)).toThrow(/^A Redis URL (?!.*hush)/)
    },
  )
})

describe('names over several instances', () => {
  const instances = ['redis://a', 'redis://b', 'redis://c'].map((url) => ({ name: nameOfAddress(readAddress(url)) }))
  const names = Array.from({ length: 9_000 }, (_, i) => `conversation:default:${i.toString(36)}`)

  it('spread evenly', () => {
    const counts = instances.map((one) => names.filter((name) => pick(instances, name) === one).length)
    for (const count of counts) expect(Math.abs(count - 3_000)).toBeLessThan(300)
  })
  it('stay where they are in whatever order the list is, and mostly when it grows', () => {
    const turned = [...instances].reverse()
    const more = [...instances, { name: 'd:6379/0' }]
    expect(names.every((name) => pick(turned, name) === pick(instances, name))).toBe(true)
    const moved = names.filter((name) => pick(more, name) !== pick(instances, name))
    expect(moved.length).toBeLessThan(2_700)
    expect(moved.every((name) => pick(more, name).name === 'd:6379/0')).toBe(true)
  })
})
