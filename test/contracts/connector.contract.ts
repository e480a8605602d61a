// What every connector must keep, whatever it talks to: run it with a connector and a provider that a test can command.
import {
  type Attachment,
  type Connector,
  DeliveryError,
  type Gateway,
  type Incoming,
  type IncomingFile,
  type Outgoing,
  type ProviderReceipt,
} from '../../connectors/connector'
import { eventually } from '../support/eventually'

/** A connector, not yet started, and the far side of it. */
export interface Stage {
  readonly connector: Connector
  /** Lets a customer say it; resolves with whether the connector first acknowledged it to the provider (true) or refused. */
  bring(text: string): Promise<boolean>
  close(): Promise<void>
}

/** A gateway that notes what it is told, and can be slow or refuse. */
export class RecordingGateway implements Gateway {
  readonly received: Incoming[] = []
  readonly reported: ProviderReceipt[] = []
  /** Called before a message counts as durable. */
  before: (message: Incoming) => Promise<void> = () => Promise.resolve()

  async receive(message: Incoming): Promise<void> {
    this.received.push(message)
    await this.before(message)
  }

  async upload({ name }: IncomingFile): Promise<Attachment> {
    return { type: 'application/octet-stream', name, contentUrl: `https://gateway.example/${name}` }
  }
  async report(receipt: ProviderReceipt): Promise<void> {
    this.reported.push(receipt)
  }
}

let nextDelivery = 1
export const outgoing = (fields: Partial<Outgoing> = {}): Outgoing => ({
  deliveryId: `delivery-${nextDelivery++}`,
  to: '+491701234567',
  account: '12345',
  text: 'hello',
  attachments: [],
  ...fields,
})

const errorOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (cause: unknown) => cause,
  )

/** Whether it was refused so that the outbox tries again. */
export async function expectRetryable(promise: Promise<unknown>, retryable = true): Promise<DeliveryError> {
  const error = await errorOf(promise)
  expect(error).toBeInstanceOf(DeliveryError)
  expect((error as DeliveryError).options.retryable).toBe(retryable)
  return error as DeliveryError
}

export function connectorContract(name: string, open: () => Promise<Stage>): void {
  describe(`the ${name} connector keeps the contract`, () => {
    let stage: Stage
    let gateway: RecordingGateway
    beforeEach(async () => {
      stage = await open()
      gateway = new RecordingGateway()
    })
    afterEach(async () => {
      await stage.connector.close()
      await stage.close()
    })

    it('names its channel in lower case and itself for people', () => {
      expect(stage.connector.channel).toMatch(/^[a-z][a-z0-9-]*$/)
      expect(stage.connector.name).not.toBe('')
    })

    it('answers a delivery with ids of the provider, others for each message', async () => {
      await stage.connector.start(gateway)
      const first = await stage.connector.deliver(outgoing())
      const second = await stage.connector.deliver(outgoing())
      const ids = [...first.providerMessageIds, ...second.providerMessageIds]
      expect(ids.length).toBeGreaterThanOrEqual(2)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids).not.toContain('')
    })

    it('reports a delivered message under an id that it answered', async () => {
      await stage.connector.start(gateway)
      const { providerMessageIds } = await stage.connector.deliver(outgoing())
      await eventually(() => {
        const delivered = gateway.reported.filter(({ state }) => state === 'delivered')
        expect(delivered.map((receipt) => receipt.providerMessageId)).toEqual(providerMessageIds)
        expect(delivered[0]?.account).toBe('12345')
      })
    })

    it('delivers to many recipients at once', async () => {
      await stage.connector.start(gateway)
      const messages = Array.from({ length: 30 }, (_, n) => outgoing({ to: `+4917012345${String(10 + n)}` }))
      const all = await Promise.all(messages.map((message) => stage.connector.deliver(message)))
      expect(new Set(all.flatMap((one) => one.providerMessageIds)).size).toBe(30)
    })

    it('acknowledges what a customer said only when it is durable', async () => {
      let durable: () => void = () => undefined
      gateway.before = () => new Promise((resolve) => (durable = resolve))
      await stage.connector.start(gateway)
      let acknowledged: boolean | undefined
      const brought = stage.bring('hi').then((answer) => (acknowledged = answer))
      await eventually(() => expect(gateway.received).toHaveLength(1))
      await new Promise((resolve) => setImmediate(resolve))
      expect(acknowledged).toBeUndefined()
      durable()
      await brought
      expect(acknowledged).toBe(true)
    })

    it('does not acknowledge what the gateway refused', async () => {
      gateway.before = () => Promise.reject(new Error('no store'))
      await stage.connector.start(gateway)
      expect(await stage.bring('hi')).toBe(false)
    })

    it('brings what customers say with the words, whose they are, and an id of its own', async () => {
      await stage.connector.start(gateway)
      await stage.bring('one')
      await stage.bring('two')
      await eventually(() => expect(gateway.received).toHaveLength(2))
      const [one, two] = gateway.received
      expect([one?.text, two?.text]).toEqual([expect.stringContaining('one'), expect.stringContaining('two')])
      expect(one?.from).toBe('+491701234567')
      expect(one?.externalMessageId).not.toBe(two?.externalMessageId)
      for (const { externalMessageId } of gateway.received) {
        expect(externalMessageId.length).toBeGreaterThan(0)
        expect(externalMessageId.length).toBeLessThanOrEqual(256)
      }
    })

    it('refuses a delivery before the start and after the close, to be tried again', async () => {
      await expectRetryable(stage.connector.deliver(outgoing()))
      await stage.connector.start(gateway)
      await stage.connector.close()
      await expectRetryable(stage.connector.deliver(outgoing()))
    })

    it('brings nothing after the close', async () => {
      await stage.connector.start(gateway)
      await stage.connector.close()
      await Promise.race([errorOf(stage.bring('hi')), new Promise((resolve) => setTimeout(resolve, 100))])
      expect(gateway.received).toHaveLength(0)
    })

    it('may be closed twice, and without a start', async () => {
      await Promise.all([stage.connector.close(), stage.connector.close()])
      await stage.connector.close()
    })
  })
}
