// Which requests take much, and may begin one after the other: uploads and transcripts, and nothing that a chat needs.
import { isPatient } from '../../../src/dialects/customer-channel/rest'

it.each([
  ['POST', '/api/customer/conversations/abc/files'],
  ['POST', '/chat/api/customer/conversations/abc/files'],
  ['GET', '/api/customer/transcript/abc/pdf'],
  ['GET', '/api/customer/transcript/abc/json?timeZone=Europe/Berlin'],
  ['GET', '/api/agent/conversations/abc/transcript/html'],
])('%s %s has time', (method, url) => expect(isPatient({ method, url })).toBe(true))
it.each([
  ['POST', '/api/customer/init'],
  ['GET', '/api/customer/conversations/abc/files'],
  ['GET', '/api/customer/conversations/abc/files/def'],
  ['POST', '/api/customer/transcript/abc/pdf'],
  ['GET', '/api/customer/transcript/abc'],
  ['GET', '/health/live'],
])('%s %s has none', (method, url) => expect(isPatient({ method, url })).toBe(false))
