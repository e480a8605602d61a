// What an answer with a file looks like: the right bytes, and never anything that runs.
import fc from 'fast-check'
import { answerFor, type Sendable } from '../../src/files/download'
import { mediaTypeOf } from '../../src/files/kind'
import { ALL_KINDS } from '../../src/files/kinds'

const file: Sendable = { mediaType: 'application/pdf', name: 'report.pdf', size: 1_000, tag: 'abc' }
const get = (headers: Parameters<typeof answerFor>[2] = {}, more: Partial<Sendable> = {}) =>
  answerFor({ ...file, ...more }, 'GET', headers)

describe('an answer with a file', () => {
  it('is the whole of it when no part was asked for', () => {
    expect(get()).toMatchObject({ status: 200, body: 'all' })
    expect(get().headers).toMatchObject({
      'Content-Length': '1000',
      'Content-Type': 'application/pdf',
      'Accept-Ranges': 'bytes',
      ETag: '"abc"',
    })
  })
  it('has the headers and no body for HEAD, whatever range is asked for', () => {
    const { headers, ...answer } = answerFor(file, 'HEAD', { range: 'bytes=0-1' })
    expect(answer).toEqual({ status: 200, body: null })
    expect(headers).toEqual(get().headers)
  })
  it.each([
    ['bytes=0-99', { start: 0, end: 99 }, 'bytes 0-99/1000', '100'],
    ['bytes=0-0', { start: 0, end: 0 }, 'bytes 0-0/1000', '1'],
    ['bytes=900-', { start: 900, end: 999 }, 'bytes 900-999/1000', '100'],
    ['bytes=900-5000', { start: 900, end: 999 }, 'bytes 900-999/1000', '100'],
    ['bytes=-1', { start: 999, end: 999 }, 'bytes 999-999/1000', '1'],
    ['bytes=-5000', { start: 0, end: 999 }, 'bytes 0-999/1000', '1000'],
  ])('is a part of it for %s', (range, body, contentRange, length) => {
    const answer = get({ range })
    expect(answer).toMatchObject({ status: 206, body })
    expect(answer.headers).toMatchObject({ 'Content-Range': contentRange, 'Content-Length': length })
  })
  it.each(['bytes=1000-', 'bytes=1000-2000', 'bytes=-0'])('is a refusal for %s, which lies beyond its end', (range) => {
    const answer = get({ range })
    expect(answer).toMatchObject({ status: 416, body: null })
    expect(answer.headers).toMatchObject({ 'Content-Range': 'bytes */1000', 'Content-Length': '0' })
  })
  it.each(['', 'bytes=', 'bytes=-', 'bytes=5-4', 'bytes=0-1,5-6', 'lines=0-1', 'bytes=a-b', 'bytes=1e3-', '0-1'])(
    'is the whole of it for %j, which is no single range',
    (range) => {
      expect(get({ range })).toMatchObject({ status: 200, body: 'all' })
    },
  )
  it('never reaches beyond the file, whatever is asked for', () => {
    const range = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(3_000), fc.nat(3_000)).map(([a, b]) => `bytes=${a}-${b}`),
    )
    fc.assert(
      fc.property(range, fc.integer({ min: 1, max: 2_000 }), (asked, size) => {
        const { status, body, headers } = get({ range: asked }, { size })
        if (body === null || body === 'all') {
          expect([200, 416]).toContain(status)
          return
        }
        expect(body.start).toBeLessThanOrEqual(body.end)
        expect(body.end).toBeLessThan(size)
        expect(headers['Content-Length']).toBe(String(body.end - body.start + 1))
      }),
    )
  })
  it('goes on with a part only of the same file', () => {
    expect(get({ range: 'bytes=0-1', 'if-range': '"abc"' })).toMatchObject({ status: 206 })
    for (const other of ['"abd"', 'W/"abc"', 'Wed, 21 Oct 2015 07:28:00 GMT', ''])
      expect(get({ range: 'bytes=0-1', 'if-range': other })).toMatchObject({ status: 200, body: 'all' })
  })
  it('is empty for whoever has it already', () => {
    for (const known of ['"abc"', 'W/"abc"', '"x", "abc"', '*', ['"x"', '"abc"']])
      expect(get({ 'if-none-match': known })).toMatchObject({ status: 304, body: null })
    for (const other of ['"abd"', 'abc', '']) expect(get({ 'if-none-match': other })).toMatchObject({ status: 200 })
  })
})

describe('row 27: an answer with a file', () => {
  const types = [
    ...ALL_KINDS.map((kind) => mediaTypeOf(kind)),
    'image/svg+xml',
    'text/html',
    'application/xhtml+xml',
    'text/xml',
    '',
  ]
  it.each(types)('row 27: of the type %j is never run: it is saved, or a picture without scripts', (mediaType) => {
    for (const name of ['evil.svg', 'evil.html', 'cat.png'])
      for (const conditions of [{}, { range: 'bytes=0-1' }, { range: 'bytes=9999-' }, { 'if-none-match': '"abc"' }]) {
        const { headers } = get(conditions, { mediaType, name })
        expect(headers).toMatchObject({
          'X-Content-Type-Options': 'nosniff',
          'Content-Security-Policy': "sandbox; default-src 'none'",
          'Cache-Control': 'private, no-store',
        })
        const isShown = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'].includes(mediaType)
        expect(headers['Content-Disposition']).toMatch(isShown ? /^inline; / : /^attachment; /)
        expect(headers['Cross-Origin-Resource-Policy']).toBe(isShown ? 'cross-origin' : 'same-origin')
      }
  })
  it('says of text that it is UTF-8, unless it is another', () => {
    const utf16 = 'text/plain; charset=utf-16'
    expect(get({}, { mediaType: 'text/csv' }).headers['Content-Type']).toBe('text/csv; charset=utf-8')
    expect(get({}, { mediaType: utf16 }).headers['Content-Type']).toBe(utf16)
  })
  it('has a name that every client reads, and nobody breaks out of', () => {
    const { headers } = get({}, { name: 'Übersicht "für" 東京 (1).pdf' })
    expect(headers['Content-Disposition']).toBe(
      `attachment; filename="_bersicht _f_r_ __ (1).pdf"; filename*=UTF-8''%C3%9Cbersicht%20%22f%C3%BCr%22%20%E6%9D%B1%E4%BA%AC%20%281%29.pdf`,
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const said = get({}, { name }).headers['Content-Disposition']!
        expect(said).toMatch(/^attachment; filename="[ !#-[\]-~]*"; filename\*=UTF-8''[-!#$&+.^_`|~%0-9A-Za-z]*$/)
        expect(decodeURIComponent(said.split("''")[1]!)).toBe(name.replace(/\p{Surrogate}/gu, '\uFFFD'))
      }),
    )
  })
})
