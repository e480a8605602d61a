// What one socket says: messages, activities, receipts, the end. Each is answered when it is durable, in its place.
import type { Saying } from '../../conversation/rules'
import { GatewayError, notYours } from '../../model/errors'
import type { Utterance } from '../../model/events'
import type { ParticipantId, Place } from '../../model/ids'
import type { Address } from '../../model/participant'
import { acknowledgementOf } from './codec'
import type { Connectors } from './connectors'
import type { ChannelDeps } from './deps'
import { failureOf, type Answer } from './handle'
import type { Attachments, Settled } from './attachments'
import { sayingKey, type Said } from './said'
import { countsOf, placeOf, seatExpired, type AnySeat, type Seating, type Sitter } from './seating'
import { Sequence } from './sequence'
import { eventIdIn, readSaying, readSpeech, type Speech } from './speech'
import type { SendRequest } from './wire'

/** After so long without its place in the stream, a stored message is answered retryably. */
const IN_PLACE_MS = 10_000

export interface SpeakingDeps extends ChannelDeps {
  readonly connectors: Connectors
  readonly attachments: Attachments
}
interface Speaker {
  readonly place: Place
  readonly from: ParticipantId
  /** Of a connector: that of the customer for whom it speaks. */
  readonly address: Address | null
  readonly counts: 'staff' | 'public'
  /** Null for a connector that speaks without having joined. */
  readonly seat: AnySeat | null
}

interface Prepared extends Pick<Settled, 'made'> {
  readonly speaker: Speaker
  readonly saying: Saying
}

export class Speaking {
  /** Most sockets never send a file. */
  #sequence: Sequence | null = null

  constructor(
    private readonly sitter: Sitter,
    private readonly seating: Seating,
    private readonly deps: SpeakingDeps,
  ) {}

  async send(request: SendRequest, answer: Answer): Promise<void> {
    const { deps } = this
    const { identity } = this.sitter
    if (!deps.unlimited) await this.#limit(request)
    if (request.conversationId === undefined) {
      if (identity.kind !== 'connector')
        throw new GatewayError('invalidRequest', 'Name the conversation.', { details: ['conversationId'] })
      answer(await deps.connectors.receive(identity, request))
      return
    }
    const { conversationId, attachments = [] } = request
    if (deps.attachments.concern(attachments)) await this.#sendWithFiles(conversationId, request, answer)
    else await this.#inTurn(conversationId, () => this.#speak(request, answer))
  }
  async #speak(request: SendRequest, answer: Answer): Promise<void> {
    const { conversationId = '' } = request
    // Who sits does not wait: nothing that was sent later may come between.
    const speaker = this.#sitting(conversationId) ?? (await this.#connectorFor(conversationId))
    const speech = readSpeech(request, this.sitter.identity.kind === 'connector')
    if (speech.type !== 'say') answer(await this.#act(speaker, speech, request))
    else await this.#say(speaker, inOrder(speaker, readSaying(request, speaker, speech.body)), answer)
  }
  /** Behind what was said before and has its files looked up or stored still. */
  #inTurn(id: string, say: () => Promise<void>): Promise<void> {
    return this.#sequence ? this.#sequence.say(id, null, say) : say()
  }
  async #sendWithFiles(id: string, request: SendRequest, answer: Answer): Promise<void> {
    const sequence = (this.#sequence ??= new Sequence())
    await sequence.say(
      id,
      () => this.#settle(id, request),
      async (settled) => {
        if (settled) await this.#sayWithFiles(settled, answer)
        else await this.#speak(request, answer)
      },
    )
  }
  /** Null for what is no message after all. */
  async #settle(id: string, request: SendRequest) {
    const speaker = await this.#speakerIn(id)
    const speech = readSpeech(request, this.sitter.identity.kind === 'connector')
    if (speech.type !== 'say' || speech.body.type !== 'message') return null
    // Under the digest of what was sent: a repeat makes files of its own.
    const saying = inOrder(speaker, readSaying(request, speaker, speech.body))
    try {
      const { content, made } = await this.deps.attachments.settle(speaker, speech.body.content)
      return { speaker, saying: { ...saying, body: { ...speech.body, content } }, made }
    } catch (cause) {
      speaker.seat?.said.failed(saying, cause)
      throw cause
    }
  }
  /** Files that were made for a message that is not said, or was said before, go again. */
  async #sayWithFiles({ speaker, saying, made }: Prepared, answer: Answer): Promise<void> {
    const { attachments, onFault } = this.deps
    let isUsed = false
    try {
      isUsed = !(await this.#say(speaker, saying, answer)).repeated
    } finally {
      if (!isUsed) await attachments.discard(made).catch(onFault)
    }
  }
  async end(id: string, answer: Answer): Promise<void> {
    if (!this.deps.unlimited) await this.#limit({ conversationId: id })
    await this.#inTurn(id, async () => {
      const { place, from } = await this.#speakerIn(id)
      await this.deps.conversations.end(place, from)
      answer({ conversationId: place.conversationId })
    })
  }
  async leave(id: string, answer: Answer): Promise<void> {
    if (!this.deps.unlimited) await this.#limit({ conversationId: id })
    await this.#inTurn(id, async () => {
      const { place, from, seat } = await this.#speakerIn(id)
      // A connector gives up its own seat, if it has one. The customer may be here by another socket, and stays.
      if (seat && seat.role !== 'connector') await this.deps.conversations.leave(place, from, 'left')
      this.seating.drop(place.conversationId)
      answer({ conversationId: place.conversationId })
    })
  }

  /** A customer counts by participant, whatever number of sockets they open; who sits nowhere counts by socket. */
  async #limit({ refId, conversationId = '' }: Pick<SendRequest, 'refId' | 'conversationId'>): Promise<void> {
    const { limiter } = this.deps
    const { identity, socket } = this.sitter
    if (identity.kind === 'staff') await limiter.consume('sendStaff', identity.accountId)
    else if (identity.kind === 'connector') {
      await limiter.consume('connectorTotal', identity.keyId)
      await limiter.consume('sendConnector', `${identity.keyId} ${refId ?? conversationId}`)
    } else await limiter.consume('sendCustomer', this.seating.at(conversationId)?.participantId ?? socket.id)
  }

  async #speakerIn(id: string): Promise<Speaker> {
    return this.#sitting(id) ?? (await this.#connectorFor(id))
  }
  #sitting(id: string): Speaker | null {
    const seat = this.seating.at(id)
    if (seat?.hasExpired()) throw seatExpired()
    const { identity } = this.sitter
    const address = identity.kind === 'connector' && seat ? seat.address : null
    return seat && { place: seat.place, from: seat.participantId, address, counts: countsOf(identity), seat }
  }
  /** A keyed connector may speak for its carried customers without joining each. */
  async #connectorFor(id: string): Promise<Speaker> {
    const { identity } = this.sitter
    const place = placeOf(this.deps, id)
    if (identity.kind !== 'connector') throw notYours()
    const customer = await this.deps.connectors.customerOf(identity, place)
    return { place, ...customer, counts: countsOf(identity), seat: null }
  }

  /** The acknowledgement stands in the message's place in the stream. */
  async #say(speaker: Speaker, saying: Saying, answer: Answer): Promise<{ readonly repeated: boolean }> {
    const key = sayingKey(saying)
    const { seat } = speaker
    const reply = (event: Utterance) => answer(acknowledgementOf(event, speaker.counts))
    const expected = seat?.said.expect(key, reply) === true
    try {
      const { event, repeated } = await this.deps.conversations.say(speaker.place, saying)
      const sitsOn = seat && !seat.latest.isClosed ? seat.latest : null
      if (!sitsOn) reply(event)
      else if (expected && !repeated) {
        sitsOn.said.stored(key, event)
        this.#answerLate(sitsOn.said, key, answer)
      } else {
        // Said before: its place is behind us, or will be when what comes before it has been heard.
        if (expected) sitsOn.said.forget(key)
        await sitsOn.caughtUp()
        await this.#passed(speaker.place, event)
        reply(event)
      }
      return { repeated }
    } catch (cause) {
      if (expected) seat.said.failed(saying, cause)
      throw cause
    }
  }
  /** A provider's message may have been said in an earlier conversation: then it has no place in this one. */
  async #passed(place: Place, { conversationId, position }: Utterance): Promise<void> {
    if (conversationId === place.conversationId) await this.deps.hub.reached(place, position)
  }
  /** Stored, but its place may not have been heard yet: a page of history or a gap comes first. */
  #answerLate(said: Said, key: string, answer: Answer): void {
    if (!said.expects(key)) return
    setTimeout(() => {
      if (!said.expects(key)) return
      said.forget(key)
      const sentence = 'Stored, but not in its place yet. Send it again with the same id.'
      answer(failureOf(new GatewayError('unavailable', sentence)))
    }, IN_PLACE_MS).unref()
  }

  async #act(speaker: Speaker, speech: Exclude<Speech, { type: 'say' }>, request: SendRequest): Promise<object> {
    const { conversations, connectors } = this.deps
    const { place, from } = speaker
    const { conversationId } = place
    const { identity } = this.sitter
    switch (speech.type) {
      case 'typing': {
        const { to = [], tag = '' } = request
        await conversations.type(place, { from, to, whisper: tag === 'whisper' }, speech.state)
        return { conversationId }
      }
      case 'receipt': {
        if (identity.kind === 'connector') return connectors.report(identity, speech, request)
        const eventId = eventIdIn(place, speech.messageId)
        await conversations.acknowledge(place, from, { state: speech.state, eventId })
        return { conversationId }
      }
      case 'end':
        await conversations.end(place, from)
        return { conversationId }
      case 'handOff':
        throw new GatewayError('notImplemented', 'This gateway has no routing. Agents join conversations themselves.')
    }
  }
}

/** @throws GatewayError `unavailable` for what was said behind a message that was refused for now */
function inOrder({ seat }: Speaker, saying: Saying): Saying {
  if (seat?.said.isInTurn(sayingKey(saying)) !== false) return saying
  throw new GatewayError('unavailable', 'What you said before was refused. Say that again first.', { retryAfter: 1 })
}
