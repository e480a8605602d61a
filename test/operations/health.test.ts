// The health routes: live as long as it answers, ready as long as it can keep what it is given.
import { liveness, readiness } from '../../src/operations/health'

const up = { ready: () => Promise.resolve(), bus: () => ({ status: 'ok' as const }), draining: () => false }

describe('health', () => {
  it('is live whenever it answers', () => {
    expect(liveness()).toEqual({ status: 200, body: { status: 'live' } })
  })
  it('is ready while the store takes writes', async () => {
    expect(await readiness(up)).toEqual({ status: 200, body: { status: 'ready' } })
  })
  it('is unavailable while the store refuses, throws or hangs, and says so', async () => {
    const answer = { status: 503, body: { status: 'unavailable', reasons: ['The store takes no writes.'] } }
    expect(await readiness({ ...up, ready: () => Promise.reject(new Error('disk full')) })).toEqual(answer)
    const throws = () => {
      throw new Error('closed')
    }
    expect(await readiness({ ...up, ready: throws })).toEqual(answer)
    expect(await readiness({ ...up, ready: () => new Promise(() => undefined) }, 20)).toEqual(answer)
  })
  it('is degraded, and still to be given work, while the nodes hear each other late', async () => {
    const bus = () => ({ status: 'degraded' as const, sentence: 'Redis does not answer.' })
    expect(await readiness({ ...up, bus })).toEqual({
      status: 200,
      body: { status: 'degraded', reasons: ['Redis does not answer. Other nodes hear late.'] },
    })
    expect((await readiness({ ...up, bus, draining: () => true })).status).toBe(503)
  })
  it('is unavailable while it drains', async () => {
    expect(await readiness({ ...up, draining: () => true })).toEqual({
      status: 503,
      body: { status: 'unavailable', reasons: ['The gateway is shutting down.'] },
    })
  })
})
