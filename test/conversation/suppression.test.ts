// Opting out and in by a word.
import { Suppression, suppressedAs } from '../../src/conversation/suppression'
import { hashedAddress } from '../../src/model/hashed-address'
import { addressOf } from '../support/log-fixtures'

const suppression = new Suppression({
  optOut: [
    { channel: 'SMS', language: 'en', words: ['STOP', 'End'] },
    { channel: 'facebook', language: '*', words: ['leave me'] },
    { channel: '*', language: 'de', words: ['HALT'] },
  ],
  optIn: [{ channel: 'sms', language: '*', words: ['START'] }],
})
const ann = addressOf('+1')
const kinds = (text: string, language = 'en', address = ann) =>
  suppression.writesFor(address, language, text).map(({ kind }) => kind)

describe('opting out', () => {
  it('takes the whole of a message, in any case and with spaces around it', () => {
    for (const text of ['STOP', 'stop', ' Stop\n', 'END']) expect(kinds(text)).toEqual(['suppress'])
    for (const text of ['please stop', 'stop it', 'stopp', '', '  ', 'x'.repeat(10_000)])
      expect(kinds(text)).toEqual([])
  })
  it('goes by channel and language, whatever spelling names the channel', () => {
    expect(kinds('stop', 'en-GB')).toEqual(['suppress'])
    expect(kinds('stop', 'fr')).toEqual([])
    expect(kinds('halt', 'de-AT', { ...ann, channel: 'whatsapp' })).toEqual(['suppress'])
    expect(kinds('Leave Me', 'fr', { ...ann, channel: 'fb' })).toEqual(['suppress'])
    expect(kinds('leave me')).toEqual([])
  })
  it('on one of our numbers is opting out on all of them, and a word takes it back', () => {
    const address = { channel: 'sms', account: '', refId: '+1' }
    expect(suppressedAs('sms', '+1')).toEqual(address)
    expect(suppression.writesFor(ann, 'en', 'stop')).toEqual([{ kind: 'suppress', address }])
    expect(suppression.writesFor({ ...ann, account: '+2' }, 'fr', 'start')).toEqual([
      { kind: 'unsuppress', address },
      // Under which it stands there if its owner was erased meanwhile.
      { kind: 'unsuppress', address: hashedAddress(address) },
    ])
  })
})
