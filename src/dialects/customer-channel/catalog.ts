// Every route of the Customer Channel API, once: the documents, the handlers and the isolation test are made from it. Its events: catalog-events.ts.
import type { z } from 'zod'
import * as rest from './rest-wire'
import * as wire from './wire'

/** Who may call it at all; whether it is theirs is asked besides. */
export type Audience = 'anyone' | 'customer' | 'staff' | 'supervisor' | 'connector' | 'thirdParty' | 'bot'

export interface Request {
  /** The shape that the documents show. */
  readonly documented: z.ZodObject
}
export interface RouteEntry {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  readonly path: string
  readonly summary: string
  readonly who: readonly Audience[]
  readonly body?: Request
  /** The body is a form with one file. */
  readonly isForm?: true
  readonly query?: Request
  readonly status: 200 | 201 | 202 | 204
  readonly answer?: z.ZodType
  readonly mediaTypes?: readonly string[]
  readonly ofConversation: boolean
  /** It takes much, and whoever asks has time: many at once begin one after the other. */
  readonly isPatient?: true
}

export const ROUTES = {
  init: {
    method: 'post',
    path: '/api/customer/init',
    summary: 'Starts a chat, or finds the live conversation of an address',
    who: ['anyone', 'connector'],
    body: rest.initRequest,
    status: 200,
    answer: rest.initAnswer,
    ofConversation: false,
  },
  token: {
    method: 'post',
    path: '/api/customer/token',
    summary: 'Renews a customer’s token',
    who: ['customer'],
    body: rest.tokenRequest,
    status: 200,
    answer: rest.tokenAnswer,
    ofConversation: true,
  },
  transcript: {
    method: 'get',
    path: '/api/customer/transcript/{conversationId}/{type}',
    summary: 'The transcript of an ended conversation, always in the customer’s form',
    who: ['customer', 'staff'],
    status: 200,
    answer: rest.transcriptJson,
    query: rest.transcriptQuery,
    mediaTypes: ['application/json', 'text/plain', 'text/html', 'text/csv', 'application/pdf'],
    ofConversation: true,
    isPatient: true,
  },
  staffTranscript: {
    method: 'get',
    path: '/api/agent/conversations/{conversationId}/transcript/{type}',
    summary: 'The transcript of a conversation, running or ended, for staff: with whispers, or in the customer’s form',
    who: ['staff'],
    status: 200,
    answer: rest.staffTranscriptJson,
    query: rest.staffTranscriptQuery,
    mediaTypes: ['application/json', 'text/plain', 'text/html', 'text/csv', 'application/pdf'],
    ofConversation: true,
    isPatient: true,
  },
  uploadFile: {
    method: 'post',
    path: '/api/customer/conversations/{conversationId}/files',
    summary: 'Sends a file into a conversation; its answer is an attachment to say in a message',
    who: ['customer', 'staff', 'connector'],
    isForm: true,
    status: 201,
    answer: wire.attachment,
    ofConversation: true,
    isPatient: true,
  },
  findFile: {
    method: 'get',
    path: '/api/customer/conversations/{conversationId}/files/{fileId}',
    summary: 'A file of a conversation, by the conversation’s credential; `?thumbnail` for its small picture',
    who: ['customer', 'staff', 'connector'],
    status: 200,
    mediaTypes: ['application/octet-stream'],
    ofConversation: true,
  },
  openFile: {
    method: 'get',
    path: '/api/files/{link}/{name}',
    summary: 'A file, by a signed link that expires, as messages and connectors are given them',
    who: ['anyone'],
    status: 200,
    mediaTypes: ['application/octet-stream'],
    ofConversation: false,
  },
  login: {
    method: 'post',
    path: '/api/agent/login',
    summary: 'Signs a member of the staff in',
    who: ['anyone'],
    body: rest.loginRequest,
    status: 200,
    answer: rest.loginAnswer,
    ofConversation: false,
  },
  conversations: {
    method: 'get',
    path: '/api/agent/conversations',
    summary: 'Lists conversations',
    who: ['staff'],
    query: rest.conversationsQuery,
    status: 200,
    answer: rest.conversationsAnswer,
    ofConversation: false,
  },
  createAgent: {
    method: 'post',
    path: '/api/admin/agents',
    summary: 'Creates an agent or a supervisor',
    who: ['supervisor'],
    body: rest.createAgentRequest,
    status: 201,
    answer: rest.agentAnswer,
    ofConversation: false,
  },
  listAgents: {
    method: 'get',
    path: '/api/admin/agents',
    summary: 'Lists the staff',
    who: ['supervisor'],
    status: 200,
    answer: rest.agentsAnswer,
    ofConversation: false,
  },
  changeAgent: {
    method: 'patch',
    path: '/api/admin/agents/{id}',
    summary: 'Changes name, role, password or state; older tokens are void and their sockets close',
    who: ['supervisor'],
    body: rest.changeAgentRequest,
    status: 200,
    answer: rest.agentAnswer,
    ofConversation: false,
  },
  deleteAgent: {
    method: 'delete',
    path: '/api/admin/agents/{id}',
    summary: 'Deletes an account; what was said under it stays',
    who: ['supervisor'],
    status: 204,
    ofConversation: false,
  },
  createKey: {
    method: 'post',
    path: '/api/admin/keys',
    summary: 'Makes an API key; its secret is answered once',
    who: ['supervisor'],
    body: rest.createKeyRequest,
    status: 201,
    answer: rest.createdKeyAnswer,
    ofConversation: false,
  },
  listKeys: {
    method: 'get',
    path: '/api/admin/keys',
    summary: 'Lists API keys, without their secrets',
    who: ['supervisor'],
    status: 200,
    answer: rest.keysAnswer,
    ofConversation: false,
  },
  deleteKey: {
    method: 'delete',
    path: '/api/admin/keys/{id}',
    summary: 'Revokes an API key; its sockets close',
    who: ['supervisor'],
    status: 204,
    ofConversation: false,
  },
  deadLetters: {
    method: 'get',
    path: '/api/admin/dead-letters',
    summary: 'Lists deliveries that were given up',
    who: ['supervisor'],
    query: rest.pageQuery,
    status: 200,
    answer: rest.deadLettersAnswer,
    ofConversation: false,
  },
  replayDeadLetter: {
    method: 'post',
    path: '/api/admin/dead-letters/{id}/replay',
    summary: 'Tries a dead letter again from the beginning',
    who: ['supervisor'],
    status: 202,
    ofConversation: false,
  },
  erase: {
    method: 'post',
    path: '/api/admin/erasures',
    summary: 'Erases a conversation, or a customer with all their conversations; again, it counts nothing',
    who: ['supervisor'],
    body: rest.eraseRequest,
    status: 200,
    answer: rest.erasureAnswer,
    ofConversation: false,
  },
  holdConversation: {
    method: 'put',
    path: '/api/admin/conversations/{conversationId}/hold',
    summary: 'Puts a legal hold on a conversation, which is not erased then, or lifts it',
    who: ['supervisor'],
    body: rest.holdRequest,
    status: 200,
    answer: rest.holdAnswer,
    ofConversation: false,
  },
  retention: {
    method: 'get',
    path: '/api/admin/retention',
    summary: 'Tells how long what ended is kept, and by channel how much of it is due or held',
    who: ['supervisor'],
    status: 200,
    answer: rest.retentionAnswer,
    ofConversation: false,
  },
  sendNotification: {
    method: 'post',
    path: '/api/channels/{channel}/messages',
    summary: 'Sends an outbound notification through the channel’s connector',
    who: ['thirdParty'],
    body: rest.notificationRequest,
    status: 202,
    answer: rest.acceptedNotification,
    ofConversation: false,
  },
  findNotification: {
    method: 'get',
    path: '/api/channels/{channel}/messages/{id}',
    summary: 'Tells what became of an outbound notification',
    who: ['thirdParty'],
    status: 200,
    answer: rest.notification,
    ofConversation: false,
  },
} as const satisfies Record<string, RouteEntry>
export type RouteName = keyof typeof ROUTES
