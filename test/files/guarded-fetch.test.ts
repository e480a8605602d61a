// Fetching what strangers name: from the public internet, bounded, and from nowhere else (reliability row 28).
import { gzipSync } from 'node:zlib'
import { guardedFetch, type FetchLimits } from '../../src/files/guarded-fetch'
import { type Ways } from '../../src/files/guarded-link'
import { selfSigned, type Certificate } from '../support/certificate'
import { eventually } from '../support/eventually'
import { World } from '../support/world'

const WEB = '93.184.215.14'
const WEB_6 = '2606:2800:21f:cb07::14'
const LIMITS: FetchLimits = { maxBytes: 10_000, timeoutMs: 5_000 }
const SENTENCE = 'Nothing can be fetched from this URL. Give one of a public web server.'
const forbidden = expect.objectContaining({ code: 'invalidRequest', message: SENTENCE, retryable: false }) as Error

let certificate: Certificate
let world: World
beforeAll(() => (certificate = selfSigned('DNS:web.example.org')))
beforeEach(async () => {
  world = await World.open()
  world.name('web.example.org', [WEB])
})
afterEach(async () => {
  expect(world.trapped).toEqual([])
  await world.close()
})
const fetched = (url: string, limits: Partial<FetchLimits> = {}) => guardedFetch(url, { ...LIMITS, ...limits }, world)

describe('a file of the public internet', () => {
  it('comes with its status and type, and the server learns as little as possible', async () => {
    const asked = await world.host(WEB, (_request, response) => {
      response.setHeader('set-cookie', 'a=b')
      response.setHeader('content-type', 'Image/PNG; charset=binary').end(Buffer.from([0, 1, 2, 255]))
    })
    for (let i = 0; i < 2; i++)
      expect(await fetched('http://web.example.org/a/b.png?c=%20d#part')).toEqual({
        status: 200,
        mediaType: 'image/png',
        body: Buffer.from([0, 1, 2, 255]),
      })
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual(Array(2).fill('GET /a/b.png?c=%20d'))
    for (const { headers } of asked)
      expect(headers).toEqual({
        host: 'web.example.org',
        accept: '*/*',
        'accept-encoding': 'identity',
        connection: 'close',
      })
    expect(world.lookedUp).toEqual(['web.example.org', 'web.example.org'])
    expect(world.peers).toEqual(Array(2).fill({ address: WEB, family: 4, port: 80 }))
    await eventually(() => world.openConnections === 0)
  })
  it('comes over TLS from a host whose certificate is trusted and names it, and from no other', async () => {
    const asked = await world.host(WEB, (_request, response) => response.end('x'), certificate)
    await expect(fetched('https://web.example.org/')).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    world.ca = certificate.cert
    expect(await fetched('https://web.example.org./')).toMatchObject({ status: 200, body: Buffer.from('x') })
    expect(world.peers.at(-1)).toEqual({ address: WEB, family: 4, port: 443 })
    world.name('other.example.org', [WEB])
    await expect(fetched('https://other.example.org/')).rejects.toMatchObject({ code: 'unavailable' })
    await expect(fetched(`https://${WEB}/`)).rejects.toMatchObject({ code: 'unavailable' })
    expect(asked).toHaveLength(1)
    await eventually(() => world.openConnections === 0)
  })
  it('comes from an address, in whatever spelling', async () => {
    await world.host(WEB, (_request, response) => response.end('four'))
    await world.host(WEB_6, (_request, response) => response.end('six'))
    for (const host of [WEB, '0x5db8d70e', '93.184.55054', '0135.0270.0327.016', `${WEB}.`])
      expect(String((await fetched(`http://${host}/`)).body)).toBe('four')
    for (const host of ['2606:2800:021F:CB07:0:0:0:14', WEB_6])
      expect(String((await fetched(`http://[${host}]/`)).body)).toBe('six')
    expect(world.lookedUp).toEqual([])
  })
  it('comes from the next address when one does not answer', async () => {
    const silent = await world.host(WEB, (_request, response) => response.end('four'))
    await world.host(WEB_6, (_request, response) => response.end('six'))
    world.name('two.example.org', [WEB_6, WEB])
    const { lookup, connect } = world
    const ways: Ways = {
      lookup,
      connect: (peer) => (peer.address === WEB ? connect(peer).destroy(new Error('Nobody is there')) : connect(peer)),
    }
    expect(String((await guardedFetch('http://two.example.org/', LIMITS, ways)).body)).toBe('six')
    expect(world.peers.map(({ address }) => address)).toEqual([WEB, WEB_6])
    expect(silent).toEqual([])
  })
  it('is what the server says that it is, also when it is nothing', async () => {
    await world.host(WEB, (_request, response) => response.writeHead(404, { 'content-type': 'nonsense' }).end('No'))
    expect(await fetched('http://web.example.org/', { accept: ['image/*'] })).toEqual({
      status: 404,
      mediaType: 'application/octet-stream',
      body: Buffer.from('No'),
    })
  })
  it('is refused when it is not of a type that is wanted', async () => {
    const asked = await world.host(WEB, ({ url }, response) =>
      response.setHeader('content-type', url!.slice(1)).end('x'),
    )
    const accept = ['image/*', 'application/pdf']
    for (const type of ['image/png', 'application/pdf'])
      expect(await fetched(`http://web.example.org/${type}`, { accept })).toMatchObject({ mediaType: type })
    for (const type of ['text/html', 'application/pdfx', 'imagex/png', ''])
      await expect(fetched(`http://web.example.org/${type}`, { accept })).rejects.toMatchObject({
        code: 'unsupportedMediaType',
      })
    expect(asked[0]!.headers.accept).toBe('image/*, application/pdf')
  })
  it('is refused when it is compressed, for what it would become has no limit', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000))
    await world.host(WEB, (_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb))
    await expect(fetched('http://web.example.org/')).rejects.toMatchObject({ code: 'unsupportedMediaType' })
  })
  it('is refused at once when it says that it is too large, and as soon as it is', async () => {
    let written = 0
    await world.host(WEB, ({ url }, response) => {
      if (url === '/said') return void response.setHeader('content-length', 10_001).write('x')
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1_000))) written++
      }
      response.on('drain', more)
      more()
    })
    await expect(fetched('http://web.example.org/said')).rejects.toMatchObject({ code: 'tooLarge', retryable: false })
    await expect(fetched('http://web.example.org/endless')).rejects.toMatchObject({ code: 'tooLarge' })
    await eventually(() => world.openConnections === 0)
    expect(written).toBeLessThan(20_000)
  })
  it('may be as large as the limit', async () => {
    await world.host(WEB, (_request, response) => response.end(Buffer.alloc(10_000)))
    expect((await fetched('http://web.example.org/')).body).toHaveLength(10_000)
  })
  it('is not half a file', async () => {
    await world.host(WEB, ({ url }, response) => {
      if (url === '/length') response.setHeader('content-length', 100)
      response.write('half', () => response.destroy())
    })
    for (const path of ['length', 'chunks'])
      await expect(fetched(`http://web.example.org/${path}`)).rejects.toMatchObject({
        code: 'unavailable',
        retryable: true,
      })
  })

  it.each(['/silent', '/head', '/drip'])('is given up when its time is over (%s)', async (path) => {
    await world.host(WEB, ({ url }, response) => {
      if (url !== '/silent') response.write('x')
      if (url !== '/drip') return
      const drip = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(drip))
    })
    await expect(fetched(`http://web.example.org${path}`, { timeoutMs: 150 })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The host of the URL does not answer in time. Try again later.',
    })
    await eventually(() => world.openConnections === 0)
  })
  it('is given up when its name is not found in time, or nobody wants it any more', async () => {
    const ways = { lookup: () => new Promise<never>(() => undefined), connect: world.connect }
    await expect(guardedFetch('http://web.example.org/', { ...LIMITS, timeoutMs: 50 }, ways)).rejects.toThrow('in time')
    await world.host(WEB, () => controller.abort())
    const controller = new AbortController()
    const given = { signal: controller.signal }
    await expect(fetched('http://web.example.org/', given)).rejects.toThrow('given up')
    await expect(fetched('http://web.example.org/', given)).rejects.toThrow('given up')
    await eventually(() => world.openConnections === 0)
  })
  it('is not spoken for by a server that speaks something else', async () => {
    await world.host(WEB, (_request, response) => {
      response.socket!.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc')
    })
    await expect(fetched('http://web.example.org/')).rejects.toMatchObject({ code: 'unavailable' })
    await world.host(WEB, (_request, response) => {
      response.socket!.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
    })
    await expect(fetched('http://web.example.org/')).rejects.toMatchObject({ code: 'unavailable' })
    await world.host(WEB, (_request, response) => {
      response.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end()
    })
    await expect(fetched('http://web.example.org/')).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('redirects', () => {
  it('are followed three times, each looked up anew, relative ones too', async () => {
    const asked = await world.host(WEB, ({ url }, response) => {
      if (url === '/end') {
        response.end('there')
        return
      }
      response
        .writeHead(302, { location: url === '/3' ? 'http://next.example.org/2' : url === '/2' ? '1' : '/end' })
        .end()
    })
    world.name('next.example.org', [WEB])
    expect(String((await fetched('http://web.example.org/3')).body)).toBe('there')
    expect(asked.map(({ headers, url }) => `${headers.host}${url}`)).toEqual([
      'web.example.org/3',
      'next.example.org/2',
      'next.example.org/1',
      'next.example.org/end',
    ])
    expect(world.lookedUp).toHaveLength(4)
    for (const { headers } of asked)
      expect(Object.keys(headers).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host'])
  })
  it('end after three', async () => {
    const asked = await world.host(WEB, (_request, response) => response.writeHead(307, { location: '/again' }).end())
    await expect(fetched('http://web.example.org/')).rejects.toEqual(forbidden)
    expect(asked).toHaveLength(4)
  })
  it('to nowhere, and from https to http, are not followed', async () => {
    world.ca = certificate.cert
    const asked = await world.host(
      WEB,
      ({ url }, response) => response.writeHead(301, url === '/' ? {} : { location: 'http://web.example.org/' }).end(),
      certificate,
    )
    for (const path of ['', 'down']) await expect(fetched(`https://web.example.org/${path}`)).rejects.toEqual(forbidden)
    expect([asked.length, world.peers.length]).toEqual([2, 2])
  })
})
