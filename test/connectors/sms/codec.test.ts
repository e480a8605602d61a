// Packets and our words: alphabets, headers, receipts, numbers and the URL.
import type { Pdu } from 'smpp'
import { digestOf, readBrought, submitFields, textOf } from '../../../connectors/sms/codec'
import { readSmppUrl } from '../../../connectors/sms/config'
import { addressOf, nameOf, sameNumber } from '../../../connectors/sms/numbers'
import { readReceipt } from '../../../connectors/sms/receipt'

const pdu = (fields: Partial<Pdu>): Pdu => ({
  ...{ command: 'deliver_sm', command_id: 5, command_status: 0, sequence_number: 1 },
  ...{ source_addr_ton: 1, source_addr_npi: 1, source_addr: '491701234567' },
  ...{ dest_addr_ton: 0, dest_addr_npi: 0, destination_addr: '12345' },
  isResponse: () => false,
  response: () => pdu({}),
  ...fields,
})

describe('a body', () => {
  it.each([
    ['GSM 03.38', 0, '001b65', '@€'],
    ['a class of GSM 03.38', 0xf1, '48', 'H'],
    ['ASCII', 1, '40245f80', '@$_\ufffd'],
    ['Latin-1', 3, 'e4f6fc', 'äöü'],
    ['Cyrillic', 6, 'bfe0d8', 'При'],
    ['UCS-2', 8, '043f0440d83dde00', 'пр😀'],
    ['UCS-2 in a class', 0x18, '0041', 'A'],
    ['bytes', 4, '0102', '(binary message, 2 bytes)'],
  ])('is read as %s', (_, coding, hex, text) => {
    expect(textOf(Buffer.from(hex, 'hex'), coding)).toBe(text)
  })
})

describe('readBrought', () => {
  it('finds the place of a part in both headers and in the parameters', () => {
    const short = readBrought(pdu({ esm_class: 0x40, short_message: Buffer.from([5, 0, 3, 7, 3, 2, 0x61]) }))
    expect(short).toMatchObject({ place: { reference: '8:7', total: 3, number: 2 }, body: Buffer.from('a') })
    const long = readBrought(pdu({ esm_class: 0x40, short_message: Buffer.from([6, 8, 4, 1, 7, 2, 1, 0x61]) }))
    expect(long).toMatchObject({ place: { reference: '16:263', total: 2, number: 1 }, body: Buffer.from('a') })
    const sar = readBrought(pdu({ sar_msg_ref_num: 9, sar_total_segments: 2, sar_segment_seqnum: 2 }))
    expect(sar.place).toEqual({ reference: 'sar:9', total: 2, number: 2 })
  })

  it('takes a part that cannot be one for a message', () => {
    expect(
      readBrought(pdu({ esm_class: 0x40, short_message: Buffer.from([5, 0, 3, 7, 2, 3, 0x61]) })).place,
    ).toBeUndefined()
    expect(
      readBrought(pdu({ esm_class: 0x40, short_message: Buffer.from([5, 0, 3, 7, 1, 1, 0x61]) })).place,
    ).toBeUndefined()
  })

  it('reads the words from message_payload, and survives a header that is longer than the packet', () => {
    expect(readBrought(pdu({ message_payload: Buffer.from('long') })).body.toString()).toBe('long')
    expect(readBrought(pdu({ esm_class: 0x40, short_message: Buffer.from([200, 1]) })).body).toHaveLength(2)
    expect(readBrought(pdu({ esm_class: 0x40 })).body).toHaveLength(0)
  })

  it('knows receipts and notifications on the way', () => {
    expect([0x00, 0x04, 0x20, 0x44, 0x08].map((esm_class) => readBrought(pdu({ esm_class })).kind)).toEqual([
      ...['message', 'receipt', 'receipt', 'receipt', 'message'],
    ])
  })

  it('strips the zero from the id, if there is one', () => {
    expect(readBrought(pdu({ receipted_message_id: Buffer.from('ab1\0') })).id).toBe('ab1')
    expect(readBrought(pdu({ receipted_message_id: Buffer.from('ab1') })).id).toBe('ab1')
    expect(readBrought(pdu({ receipted_message_id: Buffer.from('\0') })).id).toBeUndefined()
  })
})

it('tells packets apart by people, header and words', () => {
  const digest = (fields: Partial<Pdu>) => digestOf(readBrought(pdu({ short_message: Buffer.from('ok'), ...fields })))
  const other = [
    {},
    { source_addr: '1' },
    { destination_addr: '1' },
    { short_message: Buffer.from('no') },
    { sar_msg_ref_num: 1, sar_total_segments: 2, sar_segment_seqnum: 1 },
  ]
  expect(new Set(other.map(digest)).size).toBe(other.length)
  expect(digest({})).toBe(digest({}))
})

it('always says which alphabet it sends', () => {
  const [from, to] = [addressOf('Fairlead')!, addressOf('+491701234567')!]
  const fields = submitFields({ from, to, dataCoding: 0, headed: true, body: Buffer.from('x'), registeredDelivery: 1 })
  expect(fields).toMatchObject({
    data_coding: 0,
    esm_class: 0x40,
    source_addr_ton: 5,
    dest_addr_ton: 1,
    dest_addr_npi: 1,
  })
})

describe('a receipt', () => {
  const read = (text: string, fields: Partial<Parameters<typeof readReceipt>[0]> = {}) =>
    readReceipt({ text, receiptedId: undefined, messageState: undefined, networkError: undefined, ...fields })
  const customary = (stat: string, err = '000') =>
    `id:0000002748 sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:${stat} err:${err} text:stat:DELIVRD`

  it.each([
    ['ACCEPTD', 'sent', undefined],
    ['ENROUTE', 'sent', undefined],
    ['DELIVRD', 'delivered', undefined],
    ['EXPIRED', 'failed', 'EXPIRED 001'],
    ['UNDELIV', 'failed', 'UNDELIV 001'],
    ['REJECTD', 'failed', 'REJECTD 001'],
    ['DELETED', 'failed', 'DELETED 001'],
    ['UNKNOWN', undefined, undefined],
    ['WHATEVER', undefined, undefined],
  ])('with %s means %s', (stat, state, reason) => {
    expect(read(customary(stat, '001'))).toEqual({ id: '0000002748', exact: false, state, reason })
  })

  it('believes its parameters more than its text', () => {
    const fields = { receiptedId: 'ABC', messageState: 5, networkError: Buffer.from([3, 0, 8]) }
    expect(read('id:1 stat:DELIVRD', fields)).toEqual({
      id: 'ABC',
      exact: true,
      state: 'failed',
      reason: 'UNDELIV 008',
    })
    expect(read('', { messageState: 2 })).toMatchObject({ id: undefined, state: 'delivered' })
  })

  it("does not believe the customer's own words", () => {
    expect(read('id:1 text:stat:DELIVRD').state).toBeUndefined()
  })

  it('is read in time, however it is written', () => {
    const begun = performance.now()
    read('id:'.repeat(50_000))
    read(`${' '.repeat(50_000)}stat:`)
    expect(performance.now() - begun).toBeLessThan(200)
  })
})

describe('numbers', () => {
  it.each([
    ['+491701234567', { ton: 1, npi: 1, digits: '491701234567' }],
    ['+49 170 1234567', { ton: 1, npi: 1, digits: '491701234567' }],
    ['12345', { ton: 3, npi: 0, digits: '12345' }],
    ['01701234567', { ton: 0, npi: 1, digits: '01701234567' }],
    ['Fairlead', { ton: 5, npi: 0, digits: 'Fairlead' }],
    ['Far too long a name', undefined],
    ['Müller', undefined],
    ['', undefined],
  ])('address %s', (name, address) => {
    expect(addressOf(name)).toEqual(address)
  })

  it.each([
    [1, '491701234567', '+491701234567'],
    [1, '+491701234567', '+491701234567'],
    [1, '00491701234567', '+491701234567'],
    [0, '491701234567', '+491701234567'],
    [0, '12345', '12345'],
    [3, '491701234567', '491701234567'],
    [5, 'BANK', 'BANK'],
    [2, '01701234567', '01701234567'],
  ])('of type %s, %s, are named %s', (ton, digits, name) => {
    expect(nameOf({ ton, npi: 1, digits })).toBe(name)
  })

  it('of a country are named internationally when the country is told', () => {
    expect(nameOf({ ton: 2, npi: 1, digits: '01701234567' }, 'DE')).toBe('+491701234567')
  })

  it('are the same when their last digits are', () => {
    expect(sameNumber('+491701234567', '01701234567')).toBe(true)
    expect(sameNumber('+491701234567', '+491701234568')).toBe(false)
    expect(sameNumber('BANK', 'bank')).toBe(true)
  })
})

describe('SMPP_URL', () => {
  it('tells everything in one line', () => {
    const config = readSmppUrl(
      'smpp://me:p%40ss@smsc.example:2776?window=5&source=Fairlead&system_type=x&country=de&smart=1',
    )
    expect(config).toMatchObject({ systemId: 'me', password: 'p@ss', host: 'smsc.example', port: 2776, tls: false })
    expect(config).toMatchObject({ window: 5, source: 'Fairlead', system_type: 'x', country: 'DE', smart: true })
    expect(config).toMatchObject({ registered_delivery: 1, enquire_link: 30 })
    expect(readSmppUrl('ssmpp://me:x@[::1]')).toMatchObject({ tls: true, port: 3550, host: '::1' })
  })

  it.each([
    ['http://me:secret@host', 'smpp://system_id:password@host:port'],
    ['smpp://:secret@host', 'names no system_id'],
    ['smpp://me:secret@host?window=0', 'window is a whole number from 1 to 1000'],
    ['smpp://me:secret@host?windw=3', 'windw is no setting of it'],
    ['smpp://me:secret@host?enquire_link=x', 'enquire_link is a number of seconds from 0.01 to 3600'],
    ['smpp://me:secret@host?country=Germany', 'country is two letters'],
    ['smpp://me:sec%ret@host', 'write % as %25'],
    ['smpp://more-than-fifteen:secret@host', 'system_id has at most 15'],
  ])('that is wrong is told in a sentence without the password: %s', (url, sentence) => {
    expect(() => readSmppUrl(url)).toThrow(sentence)
    expect(() => readSmppUrl(url)).not.toThrow(/secret|sec%ret/)
  })
})
