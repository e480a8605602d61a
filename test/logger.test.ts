// The log holds neither secrets nor what people say to each other.
import fc from 'fast-check'
import { createLogger, redactUrl, withRequest } from '../src/logger'
import type { LogLevel } from '../src/settings'

function listen(level: LogLevel = 'debug') {
  const lines: string[] = []
  const logger = createLogger({ level, destination: { write: (line: string) => lines.push(line) } })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> }
}
const SECRET = 'hush-hush-hush'

describe('the log', () => {
  it.each([
    { authorization: SECRET },
    { headers: { Authorization: `Bearer ${SECRET}`, cookie: SECRET, 'X-Api-Key': SECRET } },
    { password: SECRET, token: SECRET, key: SECRET },
    { message: { deep: { er: { text: SECRET } } } },
    { far: { a: { b: { c: { d: { e: { anything: SECRET } } } } } } },
    { list: [{ token: SECRET }] },
    { raw: Buffer.from(SECRET) },
    { url: `/socket.io/?EIO=4&token=${SECRET}&t=1` },
    { redis: `redis://user:${SECRET}@localhost:6379` },
  ])('hides what is secret in %j', (fields) => {
    const { logger, lines } = listen()
    logger.info(fields, 'something happened')
    expect(lines).toHaveLength(1)
    expect(lines.join()).not.toContain(SECRET)
    expect(lines.join()).toContain('something happened')
  })

  it('hides credentials inside the sentence itself', () => {
    const { logger, last } = listen()
    logger.info(
      'GET /api/x?token=%s refused, header Bearer abc.def, token eyJhbGci.eyJzdWI.c2ln, key flk_abc-def',
      SECRET,
    )
    expect(last()['msg']).toBe('GET /api/x?token=[hidden] refused, header [hidden], token [hidden], key [hidden]')
  })

  it('says of an error its kind, sentence, code and cause, and nothing that a library hung on it', () => {
    const { logger, last, lines } = listen()
    const cause = Object.assign(new TypeError('inner'), { code: 'EPIPE' })
    logger.error({ err: Object.assign(new Error('outer', { cause }), { config: { auth: SECRET } }) }, 'failed')
    expect(last()['err']).toMatchObject({
      type: 'Error',
      message: 'outer',
      cause: { type: 'TypeError', message: 'inner', code: 'EPIPE' },
    })
    expect(lines.join()).not.toContain(SECRET)
    logger.error(Object.assign(new Error('alone'), { body: SECRET }))
    expect(last()).toMatchObject({ err: { message: 'alone' }, msg: 'alone' })
    expect(lines.join()).not.toContain(SECRET)
  })

  it('carries the request id on each line of a request, and hides secrets that were bound to it', () => {
    const { logger, last } = listen()
    withRequest(logger, 'r1').child({ token: SECRET }).warn('slow')
    expect(last()).toMatchObject({ requestId: 'r1', level: 'warn', token: '[hidden]' })
  })

  it('keeps quiet below its level', () => {
    const { logger, lines } = listen('warn')
    logger.info('not this')
    logger.warn('this')
    expect(lines).toHaveLength(1)
  })

  it('stays one line of JSON whatever it is given', () => {
    fc.assert(
      fc.property(fc.string(), fc.anything(), (text, value) => {
        const { logger, lines } = listen()
        logger.info({ value }, `?token="${text}" &key=\\${text}`.replaceAll('%', ''))
        expect(() => JSON.parse(lines.join()) as unknown).not.toThrow()
      }),
    )
  })

  it('bounds what a line can hold', () => {
    const { logger, lines } = listen()
    logger.info({ long: 'x'.repeat(1e6), many: Array.from({ length: 10_000 }, () => 'y') })
    expect(lines.join().length).toBeLessThan(10_000)
  })
})

describe('a URL that is written down', () => {
  it('keeps its shape and loses its credentials', () => {
    expect(redactUrl('/socket.io/?EIO=4&token=abc&transport=websocket')).toBe(
      '/socket.io/?EIO=4&token=[hidden]&transport=websocket',
    )
    expect(redactUrl('https://u:p@host/x?key=1#frag')).toBe('https://[hidden]@host/x?key=[hidden]#frag')
    expect(redactUrl('/plain?a=1')).toBe('/plain?a=1')
  })
  it('is read in linear time', () => {
    const from = performance.now()
    redactUrl('a://'.repeat(20_000) + '?token='.repeat(20_000))
    expect(performance.now() - from).toBeLessThan(500)
  })
})
