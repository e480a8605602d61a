// Links to files: they open what they were made for, until they expire, and nobody else makes one.
import fc from 'fast-check'
import { FileLinks, type FileLink } from '../../src/files/links'
import { newFileId, newParticipantId } from '../../src/model/new-id'
import { TestClock } from '../support/databases'
import { tenant } from '../support/log-fixtures'

const KEYS = ['a secret key of thirty-two bytes or more', 'another secret key of thirty-two bytes'] as const

describe('a link to a file', () => {
  const clock = new TestClock()
  const linksWith = (...secretKeys: readonly string[]) => new FileLinks({ secretKeys, now: clock.now })
  const links = linksWith(KEYS[0])
  const about = (more: Partial<FileLink> = {}): FileLink => ({
    fileId: newFileId(),
    variant: 'original',
    audience: newParticipantId(),
    expiresAt: clock.now().getTime() + 60_000,
    ...more,
  })

  it('opens what it was made for, in either variant and for any audience', () => {
    for (const link of [
      about(),
      about({ variant: 'thumbnail' }),
      about({ audience: '' }),
      about({ audience: 'staff' }),
    ])
      expect(links.open(tenant, links.sign(tenant, link))).toEqual(link)
  })
  it('is short, goes into a URL as it stands, and is the same each time', () => {
    const link = about()
    const text = links.sign(tenant, link)
    expect(text).toMatch(/^[A-Za-z0-9._-]{1,100}$/)
    expect(encodeURIComponent(text)).toBe(text)
    expect(links.sign(tenant, link)).toBe(text)
  })
  it('opens nothing once it has expired', () => {
    const text = links.sign(tenant, about())
    clock.forward(59_999)
    expect(links.open(tenant, text)).not.toBeNull()
    clock.forward(1)
    expect(links.open(tenant, text)).toBeNull()
  })
  it('opens nothing with a letter changed, anywhere', () => {
    const text = links.sign(tenant, about())
    for (let i = 0; i < text.length; i++)
      for (const letter of ['A', 'z', '0', '.'])
        if (text[i] !== letter) expect(links.open(tenant, text.slice(0, i) + letter + text.slice(i + 1))).toBeNull()
  })
  it('opens nothing for another tenant, nor under another key', () => {
    const text = links.sign(tenant, about())
    expect(links.open('other' as typeof tenant, text)).toBeNull()
    expect(linksWith(KEYS[1]).open(tenant, text)).toBeNull()
  })
  it('goes on to open while its key is replaced: the first signs, both open', () => {
    const link = about()
    const old = links.sign(tenant, link)
    const rotated = linksWith(KEYS[1], KEYS[0])
    expect(rotated.open(tenant, old)).toEqual(link)
    expect(linksWith(KEYS[1]).open(tenant, rotated.sign(tenant, link))).toEqual(link)
    expect(links.open(tenant, rotated.sign(tenant, link))).toBeNull()
  })
  it('cannot be guessed: whatever is no link opens nothing', () => {
    fc.assert(fc.property(fc.string(), (text) => links.open(tenant, text) === null))
    expect(links.open(tenant, 'a'.repeat(100_000))).toBeNull()
  })
  it('is not made for an audience that could be taken for another part of it, nor without a key', () => {
    expect(() => links.sign(tenant, about({ audience: 'a.b' }))).toThrow(TypeError)
    expect(() => linksWith()).toThrow(TypeError)
  })
})
