// Failures as a caller may see them.
import { ERROR_CODES, GatewayError, notYours, toGatewayError } from '../../src/model/errors'

describe('a failure', () => {
  it('may be tried again when the store, the load or we ourselves are to blame, and never else', () => {
    const retryable = ERROR_CODES.filter((code) => new GatewayError(code, 'No.').retryable)
    expect(retryable).toEqual(['timeout', 'tooManyRequests', 'internal', 'unavailable', 'storageFull'])
  })
  it('that stays one is not to be tried again, whatever its code says', () => {
    expect(new GatewayError('unavailable', 'No.', { permanent: true }).retryable).toBe(false)
  })
  it('shows nothing of what was thrown, and keeps it for the log', () => {
    const cause = new Error('password=hunter2')
    const shown = toGatewayError(cause)
    expect(shown).toMatchObject({ code: 'internal', cause })
    expect(shown.message).not.toContain('hunter2')
    expect(toGatewayError('a text').code).toBe('internal')
  })
  it('of our own passes through unchanged', () => {
    const error = new GatewayError('conflict', 'No.', { details: ['to'], retryAfter: 3 })
    expect(toGatewayError(error)).toBe(error)
    expect(error).toMatchObject({ details: ['to'], retryAfter: 3, name: 'GatewayError' })
  })
  it('to find something is one sentence for whatever is not the caller’s', () => {
    expect(notYours()).toEqual(notYours())
    expect(notYours().code).toBe('notFound')
  })
})
