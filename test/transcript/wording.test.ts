// The words of a document.
import { Wording } from '../../src/transcript/wording'

const wording = (language: string) => new Wording({ language, timeZone: 'UTC' })

it('says a size in the unit that it has, and again in the same', () => {
  const english = wording('en')
  const said = [0, 1, 999, 1_000, 12_345, 2_500_000, 3e9, 12_345].map((bytes) => english.size(bytes))
  expect(said).toEqual([...['0 bytes', '1 byte', '999 bytes', '1 kB'], ...['12.3 kB', '2.5 MB', '3 GB', '12.3 kB']])
})
it('says a size as its language does, whatever others have said', () => {
  expect([wording('en'), wording('de'), wording('en')].map((one) => one.size(12_345))).toEqual([
    ...['12.3 kB', '12,3 kB', '12.3 kB'],
  ])
})
