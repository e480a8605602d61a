// Whom a commit waits for, by a clock that stands still until it is told to go on.
import { Company } from '../../src/store/company'

/** Whether it has resolved, once everything that can go on without the clock has gone on. */
async function isDone(waiting: Promise<void>): Promise<boolean> {
  let done = false
  void waiting.then(() => (done = true))
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  return done
}

describe('company', () => {
  beforeEach(() => jest.useFakeTimers())
  afterEach(() => jest.useRealTimers())

  it('is not waited for by the first, by one who speaks alone, or after a pause', async () => {
    const company = new Company()
    expect(await isDone(company.gather(1))).toBe(true)
    company.shared(1)
    expect(await isDone(company.gather(1))).toBe(true)
    company.shared(4)
    jest.advanceTimersByTime(10)
    expect(await isDone(company.gather(1))).toBe(true)
  })

  it('is complete when as many have come as shared the last commit', async () => {
    const company = new Company()
    company.shared(3)
    const gathering = company.gather(1)
    company.joined(2)
    expect(await isDone(gathering)).toBe(false)
    company.joined(3)
    expect(await isDone(gathering)).toBe(true)
  })

  it('is waited for no longer than a millisecond, and never by more than sixteen', async () => {
    const company = new Company()
    company.shared(200)
    expect(await isDone(company.gather(16))).toBe(true)
    const gathering = company.gather(15)
    expect(await isDone(gathering)).toBe(false)
    jest.advanceTimersByTime(1)
    expect(await isDone(gathering)).toBe(true)
  })
})
