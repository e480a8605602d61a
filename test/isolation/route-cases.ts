// One case or more for every route of the catalog: the requests a stranger would try on what is named in it.
import { ROUTES, type RouteName } from '../../src/dialects/customer-channel/catalog'
import { newId } from '../../src/model/new-id'
import { ACCOUNT, PHONE, UNKNOWN_PHONE, type Town } from './town'
import type { Lure } from './strangers'

type Body = Record<string, unknown>
export interface Ask {
  readonly path: string
  readonly body?: Body
  /** The documented URL of an ended web chat carries no credential: what it tells anybody is tested apart. */
  readonly isOpen?: true
}
/** Kinds of things that a request may name. */
type Kind = 'conversation' | 'number' | 'username' | 'agent' | 'key' | 'deadLetter' | 'notification' | 'nothing'
interface RouteCase {
  readonly names: Kind
  readonly ask: (id: string, lure: Lure) => readonly Ask[]
}
const forms = ['json', 'txt', 'html', 'csv', 'JSON', 'pdf', 'email', 'docx'] as const
const at = (name: RouteName, params: Readonly<Record<string, string>> = {}): string =>
  ROUTES[name].path.replace(/\{(\w+)\}/g, (_, param: string) => encodeURIComponent(params[param] ?? ''))

/** A record without one of the routes does not compile, and the test counts them besides. */
export const ROUTE_CASES: Readonly<Record<RouteName, RouteCase>> = {
  init: {
    names: 'number',
    ask: (refId, { key }) => [
      { path: at('init'), body: { channel: 'sms', account: ACCOUNT, refId, ...(key !== undefined && { key }) } },
      { path: at('init'), body: { channel: 'sms', account: ACCOUNT, phone: refId, requestId: 'guessed' } },
      {
        path: at('init'),
        body: { channel: 'SMS', serviceIdentifier: ACCOUNT, email: 'ann@example.org', phone: refId },
      },
    ],
  },
  token: {
    names: 'conversation',
    ask: (conversationId, { id = 'A'.repeat(32), token }) => [
      { path: at('token'), body: { conversationId, id } },
      { path: at('token'), body: { sessionId: conversationId, id, ...(token !== undefined && { token }) } },
    ],
  },
  transcript: {
    names: 'conversation',
    ask: (conversationId) =>
      forms.map((type) => ({
        path: at('transcript', { conversationId, type }),
        ...((type === 'pdf' || type === 'email') && { isOpen: true }),
      })),
  },
  staffTranscript: {
    names: 'conversation',
    ask: (conversationId) =>
      ['json', 'pdf', 'html', 'docx'].map((type) => ({ path: at('staffTranscript', { conversationId, type }) })),
  },
  uploadFile: {
    names: 'conversation',
    ask: (conversationId) => [{ path: at('uploadFile', { conversationId }) }],
  },
  findFile: {
    names: 'conversation',
    ask: (conversationId) => [
      { path: at('findFile', { conversationId, fileId: newId() }) },
      { path: `${at('findFile', { conversationId, fileId: newId() })}?thumbnail` },
    ],
  },
  // A link names its file under a seal, and nothing else: test/isolation/files.test.ts tries whose file it opens.
  openFile: {
    names: 'nothing',
    ask: () => [
      { path: at('openFile', { link: newId(), name: 'x.png' }) },
      {
        path: at('openFile', {
          link: `${newId()}.o${(9e9).toString(36)}.staff.${newId()}${newId().slice(0, 10)}`,
          name: 'x',
        }),
      },
    ],
  },
  login: {
    names: 'username',
    ask: (username) => [
      { path: at('login'), body: { username, password: 'not the password' } },
      { path: at('login'), body: { username, password: '' } },
    ],
  },
  conversations: {
    names: 'nothing',
    ask: () => [{ path: at('conversations') }, { path: `${at('conversations')}?state=ended&limit=200` }],
  },
  createAgent: {
    names: 'username',
    ask: (username) => [
      { path: at('createAgent'), body: { username, password: 'a password of twelve', role: 'supervisor' } },
      { path: at('createAgent'), body: { username } },
    ],
  },
  listAgents: { names: 'nothing', ask: () => [{ path: at('listAgents') }] },
  changeAgent: {
    names: 'agent',
    ask: (id) => [
      { path: at('changeAgent', { id }), body: { password: 'another password of theirs' } },
      { path: at('changeAgent', { id }), body: { role: 'nonsense' } },
    ],
  },
  deleteAgent: { names: 'agent', ask: (id) => [{ path: at('deleteAgent', { id }) }] },
  createKey: {
    names: 'nothing',
    ask: () => [
      { path: at('createKey'), body: { name: 'mine', kind: 'connector', channel: 'sms' } },
      { path: at('createKey'), body: {} },
    ],
  },
  listKeys: { names: 'nothing', ask: () => [{ path: at('listKeys') }] },
  deleteKey: { names: 'key', ask: (id) => [{ path: at('deleteKey', { id }) }] },
  deadLetters: {
    names: 'nothing',
    ask: () => [{ path: at('deadLetters') }, { path: `${at('deadLetters')}?limit=junk` }],
  },
  replayDeadLetter: { names: 'deadLetter', ask: (id) => [{ path: at('replayDeadLetter', { id }) }] },
  erase: {
    names: 'conversation',
    ask: (conversationId) => [
      { path: at('erase'), body: { conversationId } },
      { path: at('erase'), body: { channel: 'sms', refId: PHONE } },
      { path: at('erase'), body: { channel: 'sms', account: ACCOUNT, refId: UNKNOWN_PHONE } },
      { path: at('erase'), body: {} },
    ],
  },
  holdConversation: {
    names: 'conversation',
    ask: (conversationId) => [
      { path: at('holdConversation', { conversationId }), body: { hold: true, reason: 'mine' } },
      { path: at('holdConversation', { conversationId }), body: { hold: 'perhaps' } },
    ],
  },
  retention: { names: 'nothing', ask: () => [{ path: at('retention') }] },
  sendNotification: {
    names: 'number',
    ask: (to) => [
      { path: at('sendNotification', { channel: 'sms' }), body: { to, account: ACCOUNT, text: 'buy' } },
      {
        path: at('sendNotification', { channel: 'SMS' }),
        body: { to, account: ACCOUNT, text: 'buy', idempotencyKey: 'a' },
      },
    ],
  },
  findNotification: {
    names: 'notification',
    ask: (id) => [
      { path: at('findNotification', { channel: 'sms', id }) },
      { path: at('findNotification', { channel: 'SMS', id }) },
    ],
  },
}
export const ROUTE_NAMES = Object.keys(ROUTES) as RouteName[]

/** What there is under each name, and what never was. */
export function namesOf(kind: Kind, { victims, ended, ids, agents }: Town): Readonly<Record<string, string>> {
  const unknown = newId()
  const malformed = { 'a path': '../../admin', 'a name of JavaScript’s': '__proto__', long: 'x'.repeat(100) }
  switch (kind) {
    case 'conversation':
      return {
        unknown,
        ...malformed,
        'a live one on the web': victims.web.conversationId,
        'a live one on sms': victims.sms.conversationId,
        'an ended one on the web': ended.web,
        'an ended one on sms': ended.sms,
      }
    case 'number':
      return { unknown: UNKNOWN_PHONE, 'that of a live conversation': PHONE }
    case 'username':
      return { unknown: 'nobody', 'an agent’s': 'bo', 'a supervisor’s': 'admin' }
    case 'agent':
      return { unknown, ...malformed, 'an agent’s': agents.bo.id, 'another agent’s': agents.cy.id }
    case 'key':
      return { unknown, ...malformed, 'a connector’s': ids.key, 'one from the settings': 'env:echo:1' }
    case 'deadLetter':
      return { unknown, ...malformed, 'a dead letter': ids.deadLetter }
    case 'notification':
      return { unknown, ...malformed, 'one of another account': ids.notification }
    case 'nothing':
      return { unknown: 'nothing' }
  }
}
