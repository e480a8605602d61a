// A connector whose every answer the test gives: what it was given stays in hand until it is answered.
import { CONNECTOR_KEY } from '../support/gateway'
import { connect, type Someone } from '../support/people'

type Body = Record<string, unknown>
export interface InHand {
  readonly deliveryId: string
  readonly refId: string
  readonly text: string
  readonly answer: (reply: Body) => void
}
export interface Provider extends Someone {
  /** Every delivery, in order, as often as it came. */
  readonly inHand: InHand[]
}

/** Registers with these words besides id and channel. */
export async function provider(
  url: string,
  register: Body = {},
  onDelivery: (delivery: InHand) => void = () => undefined,
): Promise<Provider> {
  const someone = await connect(url, { auth: { token: CONNECTOR_KEY.sms } })
  const inHand: InHand[] = []
  someone.socket.on('messageArrived', (body: Body, answer?: (reply: Body) => void) => {
    const [deliveryId, refId, text] = [body['deliveryId'], body['refId'], body['text']].map(String)
    const delivery = { deliveryId: deliveryId!, refId: refId!, text: text!, answer: answer ?? (() => undefined) }
    inHand.push(delivery)
    onDelivery(delivery)
  })
  const request = { id: 'sms', channel: 'sms', acknowledges: true, ...register }
  const reply = await someone.call('registerConnector', request)
  if (reply.code !== 200) throw new Error(`register: ${JSON.stringify(reply)}`)
  return { ...someone, inHand }
}
export const accept = ({ deliveryId, answer }: InHand): void =>
  answer({ code: 200, providerMessageId: `p ${deliveryId}` })
