// The AsyncAPI document of the Customer Channel API: what travels over Socket.IO, generated from the catalog.
import { EVENTS, SERVER_EVENTS, type EventEntry } from './catalog-events'
import { named, reachable, ref } from './document-schemas'
import {
  CREDENTIALS,
  errorTable,
  EVENT_NOTES,
  EXAMPLES,
  INTRODUCTION,
  type Credential,
  type DocumentPlace,
} from './document-texts'
import { deliveryReply } from './wire'

interface Message {
  readonly name: string
  readonly summary: string
  readonly payload: object
  readonly examples?: readonly object[]
}
type Messages = Record<string, Message>

/** AsyncAPI 3.0. Operations are the gateway's: it receives what clients emit, and sends what they listen to. */
export function describeEvents(place: DocumentPlace) {
  const messages = messagesOf()
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Customer Channel API: events',
      version: place.version,
      description: `${INTRODUCTION}

Connect with any Socket.IO client, v2 to v4, over WebSocket or polling. The name of a message is the name of its event.
Acknowledgements are optional: pass a callback and it gets \`{"code": 200, …}\` or \`{"code": 4xx, "error": …}\`; without
one, a failure arrives as the event \`error\`.

## Error codes

${errorTable()}`,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { gateway: serverOf(place) },
    channels: {
      root: {
        address: '/',
        title: 'The namespace /',
        description: 'Socket.IO’s default namespace carries everything.',
        servers: [{ $ref: '#/servers/gateway' }],
        messages,
      },
    },
    operations: { ...received(), ...sent() },
    components: { schemas: reachable(messages), securitySchemes: securitySchemes() },
  }
}

function serverOf({ url, basePath }: DocumentPlace) {
  const shared = {
    pathname: `${basePath}/socket.io`,
    description: 'Socket.IO',
    security: (Object.keys(CREDENTIALS) as Credential[]).map((name) => ({
      $ref: `#/components/securitySchemes/${name}`,
    })),
  }
  if (url !== '') {
    const { host, protocol } = new URL(url)
    return { host, protocol: protocol === 'https:' ? 'wss' : 'ws', ...shared }
  }
  const variable = { default: 'localhost:8080', description: 'Where the gateway is' }
  return { host: '{host}', protocol: 'ws', variables: { host: variable }, ...shared }
}

const capital = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`
const replyName = (event: string): string => `${event}Reply`
const inRoot = (message: string) => ({ $ref: `#/channels/root/messages/${message}` })
const example = (name: string) => {
  const payload = EXAMPLES[name]
  return payload === undefined ? {} : { examples: [{ name, payload }] }
}
const nameOf = ({ $ref }: { readonly $ref: string }): string => $ref.slice($ref.lastIndexOf('/') + 1)

function messagesOf(): Messages {
  const messages: Messages = {}
  for (const [name, event] of Object.entries(EVENTS) as [string, EventEntry][]) {
    const payload = ref(event.request.documented)
    messages[name] = { name, summary: event.summary, payload, ...example(nameOf(payload)) }
    const reply = replyName(name)
    messages[reply] = { name: reply, summary: `Acknowledges ${name}`, payload: ref(event.reply) }
  }
  for (const [name, { summary, payload }] of Object.entries(SERVER_EVENTS))
    messages[name] = { name, summary, payload: ref(payload) }
  messages['failure'] = {
    name: 'failure',
    summary: 'Refuses a request that asked for an acknowledgement',
    payload: named('FailureReply'),
  }
  messages['deliveryReply'] = {
    name: 'deliveryReply',
    summary: 'A connector’s answer to a delivery',
    payload: ref(deliveryReply.documented),
  }
  return messages
}

function received(): Record<string, object> {
  const operations = (Object.entries(EVENTS) as [keyof typeof EVENTS, EventEntry][]).map(([name, { summary, who }]) => [
    name,
    {
      action: 'receive',
      channel: { $ref: '#/channels/root' },
      title: name,
      summary,
      description: [`For: ${who.join(', ')}.`, EVENT_NOTES[name]].filter(Boolean).join(' '),
      messages: [inRoot(name)],
      reply: { channel: { $ref: '#/channels/root' }, messages: [inRoot(replyName(name)), inRoot('failure')] },
    },
  ])
  return Object.fromEntries(operations) as Record<string, object>
}

function sent(): Record<string, object> {
  const operations = Object.entries(SERVER_EVENTS).map(([name, { summary }]) => [
    `on${capital(name)}`,
    {
      action: 'send',
      channel: { $ref: '#/channels/root' },
      title: name,
      summary,
      messages: [inRoot(name)],
      ...(name === 'messageArrived' && {
        description: 'A connector that registered with `acknowledges` answers its deliveries; nobody else answers.',
        reply: { channel: { $ref: '#/channels/root' }, messages: [inRoot('deliveryReply')] },
      }),
    },
  ])
  return Object.fromEntries(operations) as Record<string, object>
}

function securitySchemes(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(CREDENTIALS).map(([name, { scheme, text }]) => [
      name,
      { type: 'http', scheme: 'bearer', bearerFormat: scheme, description: text },
    ]),
  )
}
