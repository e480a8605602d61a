// Mailboxes: which texts are one, and what they are then.
import fc from 'fast-check'
import { needsSmtpUtf8, readMailAddress, readMailFrom } from '../../src/transcript/mail-address'

/** 254 octets with the part before the `@`. */
const domain = (length: number) => `${`${'d'.repeat(49)}.`.repeat(10).slice(0, length - 3)}.de`.replace('..', '.d')

describe('a mailbox', () => {
  it.each([
    ['ann@example.org', 'ann@example.org'],
    ['Ann.O+chat_1@Mail.Example.ORG', 'Ann.O+chat_1@mail.example.org'],
    ["o'neil#$&*/=^?`{|}~@example.org", "o'neil#$&*/=^?`{|}~@example.org"],
    ['ann@münchen.de', 'ann@xn--mnchen-3ya.de'],
    ['ann@例え.テスト', 'ann@xn--r8jz45g.xn--zckzah'],
    ['ann@example。org', null],
    ['ann@ｅxample.org', 'ann@example.org'],
    [`${'a'.repeat(64)}@example.org`, `${'a'.repeat(64)}@example.org`],
  ])('is %s', (text, address) => {
    if (address === null) expect(() => readMailAddress(text)).toThrow('not a mailbox')
    else expect(readMailAddress(text)).toBe(address)
  })
  it('with letters beyond ASCII before the @ needs SMTPUTF8, and is the same in every spelling of its letters', () => {
    const composed = readMailAddress('j\u00f6rg@m\u00fcnchen.de')
    expect(composed).toBe(readMailAddress('jo\u0308rg@mu\u0308nchen.de'))
    expect([needsSmtpUtf8(composed), needsSmtpUtf8(readMailAddress('ann@münchen.de'))]).toEqual([true, false])
  })

  it.each([
    ['nothing', ''],
    ['no @', 'ann'],
    ['nobody', '@example.org'],
    ['no domain', 'ann@'],
    ['a list', 'ann@example.org,bob@example.org'],
    ['a list with semicolons', 'ann@example.org;bob@example.org'],
    ['a list with spaces', 'ann@example.org bob@example.org'],
    ['a group', 'friends:ann@example.org;'],
    ['a name', 'Ann <ann@example.org>'],
    ['angle brackets', '<ann@example.org>'],
    ['a comment', 'ann(comment)@example.org'],
    ['a quoted string', '"ann"@example.org'],
    ['a quoted list', '"bob@evil.example,"@example.org'],
    ['two @', 'ann@bob@example.org'],
    ['a route', '@relay.example:ann@example.org'],
    ['an old route', 'bob%evil.example@example.org'],
    ['an older route', 'evil.example!bob@example.org'],
    ['an encoded word', '=?utf-8?q?bob=40evil.example=2C?=@example.org'],
    ['a backslash', 'ann\\@example.org'],
    ['a line break', 'ann@example.org\r\nBcc: bob@example.org'],
    ['a line feed at the end', 'ann@example.org\n'],
    ['a line break before the @', 'ann\r\nRCPT TO:<bob@example.org>\r\n@example.org'],
    ['NUL', 'ann\0@example.org'],
    ['spaces around', ' ann@example.org '],
    ['a soft hyphen in the domain', 'ann@exam\u00adple.org'],
    ['a mark that turns the line round', 'ann\u202e@example.org'],
    ['a joiner', 'ann\u200d@example.org'],
    ['a dot at the beginning', '.ann@example.org'],
    ['a dot at the end', 'ann.@example.org'],
    ['two dots', 'an..n@example.org'],
    ['two dots in the domain', 'ann@example..org'],
    ['a dot behind the domain', 'ann@example.org.'],
    ['a hyphen before a label', 'ann@-example.org'],
    ['a hyphen behind a label', 'ann@example-.org'],
    ['an underscore in the domain', 'ann@exa_mple.org'],
    ['percent signs in the domain', 'ann@%65xample.org'],
    ['one label', 'root@localhost'],
    ['an address of IPv4', 'ann@127.0.0.1'],
    ['an address of IPv4 as a number', 'ann@0x7f.1'],
    ['an address literal', 'ann@[127.0.0.1]'],
    ['an address literal of IPv6', 'ann@[IPv6:::1]'],
    ['broken punycode', 'ann@xn--a.de'],
    ['65 octets before the @', `${'a'.repeat(65)}@example.org`],
    ['65 octets in fewer letters', `${'ö'.repeat(33)}@example.org`],
    ['a label of 64', `ann@${'a'.repeat(64)}.org`],
    ['a domain that is longer in ASCII', `ann@${'ü'.repeat(60)}.de`],
    ['255 octets', `${'a'.repeat(64)}@${domain(190)}`],
    ['a megabyte', `${'a.'.repeat(500_000)}@example.org`],
  ])('is not %s', (_what, text) => {
    expect(() => readMailAddress(text)).toThrow(expect.objectContaining({ code: 'invalidRequest' }) as Error)
  })
  it('may have 254 octets', () => {
    const longest = `${'a'.repeat(64)}@${domain(189)}`
    expect(longest).toHaveLength(254)
    expect(readMailAddress(longest)).toBe(longest)
    expect(readMailAddress(`a@${domain(190)}`)).toHaveLength(192)
  })
  it('is one word of SMTP whatever was given, and reads as itself again', () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '.',
      '@',
      '"',
      '<',
      '>',
      ',',
      ' ',
      '\r',
      '\n',
      '\\',
      'ö',
      '例',
      '%',
      '-',
      '[',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 30 }).map((all) => all.join('')),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          text.map((start) => `${start}@example.org`),
        ),
        (given) => {
          let address: string
          try {
            address = readMailAddress(given)
          } catch (error) {
            expect((error as Error).message).toBe(
              'This is not a mailbox. Give one address such as ann@example.org, alone.',
            )
            return
          }
          expect(address).toMatch(/^[^\s\p{C}<>()[\]\\,;:"@]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/u)
          expect(Buffer.byteLength(address)).toBeLessThanOrEqual(254)
          expect(readMailAddress(address)).toBe(address)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('MAIL_FROM', () => {
  it.each([
    ['help@example.org', '', 'help@example.org'],
    ['<help@example.org>', '', 'help@example.org'],
    [' Example Help <help@example.org> ', 'Example Help', 'help@example.org'],
    ['"Help, Example" <help@münchen.de>', 'Help, Example', 'help@xn--mnchen-3ya.de'],
    ['Übersee Hilfe <help@example.org>', 'Übersee Hilfe', 'help@example.org'],
  ])('may be %s', (text, name, address) => {
    expect(readMailFrom(text)).toEqual({ name, address })
  })
  it.each([
    '',
    'help',
    'Help help@example.org',
    'a@example.org, b@example.org',
    'A <a@example.org>, B <b@example.org>',
    'A <a@example.org> B',
    '"A\r\nBcc: b@example.org" <a@example.org>',
    '"A\\"" <a@example.org>',
    `${'n'.repeat(101)} <a@example.org>`,
    'jörg@example.org',
  ])('may not be %j, and the sentence does not repeat it', (text) => {
    expect(() => readMailFrom(text)).toThrow(/^MAIL_FROM must be one address in ASCII, such as help@example\.org or /)
  })
})
