// A connector in front of a gateway: registers, keeps what it is given, answers as it is told.
import { CONNECTOR_KEY } from './gateway'
import { connect, init, post, type Heard, type Reply, type Someone } from './people'

type Body = Heard['body']
export interface Carrier extends Someone {
  /** Every delivery, in order, as often as it came. */
  readonly deliveries: Body[]
  readonly registered: Reply
}
export interface CarrierOptions {
  readonly key?: string
  /** Besides `id`, `channel` and `acknowledges`. */
  readonly register?: Body
  /** What it says to a delivery; undefined: nothing, ever. */
  readonly answer?: (delivery: Body) => Body | undefined
}

export async function carrier(url: string, options: CarrierOptions = {}): Promise<Carrier> {
  const {
    key = CONNECTOR_KEY.sms,
    register = {},
    answer = ({ id }) => ({ code: 200, providerMessageId: `p ${String(id)}` }),
  } = options
  const someone = await connect(url, { auth: { token: key } })
  const deliveries: Body[] = []
  someone.socket.on('messageArrived', (body: Body, ack?: (reply: Body) => void) => {
    if (body['deliveryId'] === undefined) return
    deliveries.push(body)
    const reply = ack && answer(body)
    if (reply) ack(reply)
  })
  const registered = await someone.call('registerConnector', {
    id: 'sms',
    channel: 'sms',
    acknowledges: true,
    ...register,
  })
  if (registered.code !== 200) throw new Error(`register: ${JSON.stringify(registered)}`)
  return { ...someone, deliveries, registered }
}

/** A customer of the SMS channel, found or opened as its connector does. */
export const texter = (url: string, refId: string, more: Body = {}) =>
  init(url, { channel: 'sms', refId, ...more }, CONNECTOR_KEY.sms)

/** What a customer of the channel wrote, in the one step. */
export const inbound = (refId: string, text: string, more: Body = {}) => ({
  channel: 'sms',
  refId,
  text,
  externalMessageId: `${refId} ${text}`,
  ...more,
})

export async function makeKey(url: string, token: string, wish: Body): Promise<{ id: string; secret: string }> {
  const made = await post(url, '/api/admin/keys', { name: 'a key', channel: 'sms', ...wish }, token)
  if (made.status !== 201) throw new Error(`key: ${made.status} ${made.text}`)
  return made.json['key'] as { id: string; secret: string }
}
