// Everybody who wants what is not theirs: how they connect, what they carry, and what they happen to know.
import { connect, customer, type Someone } from '../support/people'
import { PHONE, type Town } from './town'

/** What a stranger puts where a secret belongs. */
export interface Lure {
  /** In place of the handle, and of the sender's own id. */
  readonly id?: string
  readonly token?: string
  readonly key?: string
}
export interface Stranger {
  /** Comes anew. */
  readonly arrive: (town: Town) => Promise<{ readonly someone: Someone; readonly lures: readonly Lure[] }>
  /** What it shows on REST, one after the other. */
  readonly bearers: (town: Town) => Promise<readonly (string | undefined)[]>
  /** On REST it is no other than one of the others. */
  readonly onSocketsOnly?: true
  /** Staff may join what is live: that is no secret from them. */
  readonly isStaff?: true
}

/** A socket with this key, registered as a connector where `as` says so. */
const keyed = (secretOf: (town: Town) => string, as?: { channel: string; account: string }): Stranger => ({
  arrive: async (town) => {
    const key = secretOf(town)
    const someone = await connect(town.url, { auth: { token: key } })
    if (as) {
      const registered = await someone.call('registerConnector', { id: as.channel, ...as, acknowledges: true })
      expect(registered).toMatchObject({ code: 200 })
    }
    return { someone, lures: [{}, { key }, { id: town.victims.web.customerId }] }
  },
  bearers: async (town) => [secretOf(town)],
})
const anonymous = (luresOf: (town: Town) => readonly Lure[]): Stranger => ({
  arrive: async (town) => ({ someone: await connect(town.url), lures: luresOf(town) }),
  bearers: async (town) => [undefined, ...luresOf(town).map(({ id }) => id)],
})

export const STRANGERS: Readonly<Record<string, Stranger>> = {
  nobody: anonymous(() => [{}]),
  'somebody who saw the public ids': anonymous(({ victims: { web, sms } }) => [
    { id: web.customerId },
    { id: web.agentId },
    { id: sms.customerId },
    { id: sms.agentId },
  ]),
  'somebody who guesses secrets': anonymous(() => [
    { id: 'A'.repeat(32), token: 'eyJhbGciOiJub25lIn0.e30.' },
    { id: 'constructor', key: 'flk_guessed' },
  ]),
  'a customer with a conversation of their own': {
    arrive: async ({ url }) => {
      const own = await customer(url, { refId: 'eve', email: 'eve@example.org' })
      return { someone: own, lures: [{ id: own.participant.id, token: own.token }, { id: own.participant.id }, {}] }
    },
    bearers: async ({ url }) => {
      const own = await customer(url, { refId: 'eve', email: 'eve@example.org' })
      own.close()
      return [own.token, own.participant.id]
    },
  },
  'a customer who signed in with the token of another conversation': {
    arrive: async ({ url, victims }) => {
      const own = await customer(url, { refId: 'eve' })
      own.close()
      const someone = await connect(url, { auth: { token: own.token } })
      return { someone, lures: [{ id: own.participant.id }, { id: victims.web.customerId, token: own.token }] }
    },
    bearers: async () => [],
    onSocketsOnly: true,
  },
  'a customer who knows the phone number': {
    arrive: async ({ url }) => {
      const own = await customer(url, { refId: PHONE, phone: PHONE, email: 'ann@example.org' })
      return { someone: own, lures: [{ id: PHONE }, { id: own.participant.id, token: own.token }] }
    },
    bearers: async () => [PHONE],
  },
  'the connector of another channel': keyed(({ keys }) => keys.echo.secret, { channel: 'echo', account: '' }),
  'the connector of another account': keyed(({ keys }) => keys.smsOfAnother.secret, { channel: 'sms', account: 'B' }),
  'a third party of another channel': keyed(({ keys }) => keys.campaignElsewhere.secret),
  'a third party of another account': keyed(({ keys }) => keys.campaignOfAnother.secret),
  'a third party of this channel and account, on sockets': {
    ...keyed(({ keys }) => keys.campaign.secret),
    onSocketsOnly: true,
  },
  'a bot': keyed(({ keys }) => keys.bot.secret),
  'an agent who has not joined': {
    arrive: async ({ url, agents }) => ({
      someone: await connect(url, { auth: { token: agents.zoe.token } }),
      lures: [{}],
    }),
    bearers: async ({ agents }) => [agents.zoe.token],
    isStaff: true,
  },
}
