// Hands one message to the SMSC, segment after segment; a retry goes on where the SMSC stopped taking them.
import { type Accepted, DeliveryError, type Outgoing } from '../connector'
import type { Submit } from './codec'
import type { SmppConfig } from './config'
import { type Address, addressOf } from './numbers'
import { MOST_SEGMENTS, plainPunctuation, segment, withHeader } from './segments'
import type { Sent } from './sent'
import type { SmscLink } from './smsc-link'

export interface OutboundDeps {
  readonly config: SmppConfig
  readonly link: Pick<SmscLink, 'submit'>
  readonly sent: Sent
}

const never = (reason: string): DeliveryError => new DeliveryError(reason, { retryable: false })

export class Outbound {
  private readonly running = new Map<string, Promise<Accepted>>()

  constructor(private readonly deps: OutboundDeps) {}

  /** The same delivery asked for twice at once is sent once. */
  deliver(message: Outgoing): Promise<Accepted> {
    const { deliveryId } = message
    const known = this.running.get(deliveryId)
    if (known) return known
    const run = this.send(message).finally(() => this.running.delete(deliveryId))
    this.running.set(deliveryId, run)
    return run
  }

  /** Resolves when nothing is on its way any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.running.values())
  }

  private async send(message: Outgoing): Promise<Accepted> {
    const { deliveryId, to, account } = message
    const { config, sent } = this.deps
    const { dataCoding, parts } = segment(textOf(message, config.smart))
    if (parts.length > MOST_SEGMENTS) throw never('too-long')
    const addresses = this.addresses(to, account)
    const total = parts.length
    const { reference, ids } = sent.outset(deliveryId, total)
    const all: string[] = []
    for (const [index, part] of parts.entries()) {
      const body = total > 1 ? withHeader(part, reference, total, index + 1) : part
      const submit = {
        ...addresses,
        dataCoding,
        headed: total > 1,
        body,
        registeredDelivery: config.registered_delivery,
      }
      all.push(
        ids.get(index) ?? (await this.submit(submit, { delivery: deliveryId, reference, total, index, to, account })),
      )
    }
    return { providerMessageIds: all.filter((id) => id !== '') }
  }

  /** Resolves when it is also noted: a process that dies after the answer does not send it again. */
  private async submit(part: Submit, segment: Omit<Parameters<Sent['accept']>[0], 'id'>): Promise<string> {
    let noted: Promise<void> | undefined
    const id = await this.deps.link.submit(part, (accepted) => {
      noted = this.deps.sent.accept({ ...segment, id: accepted })
    })
    await noted
    return id
  }

  private addresses(to: string, account: string): Pick<Submit, 'from' | 'to'> {
    const { config } = this.deps
    const sender = account || config.source
    const from: Address | undefined = sender ? addressOf(sender) : { ton: 0, npi: 0, digits: '' }
    const recipient = addressOf(to)
    if (!from) throw never('invalid-sender')
    if (!recipient || recipient.digits === '') throw never('invalid-recipient')
    return {
      from: { ...from, ton: config.source_ton ?? from.ton, npi: config.source_npi ?? from.npi },
      to: { ...recipient, ton: config.dest_ton ?? recipient.ton, npi: config.dest_npi ?? recipient.npi },
    }
  }
}

/** The words and, a line each, where the attachments are to be found. */
function textOf({ text, attachments }: Outgoing, smart: boolean): string {
  const lines = [text, ...attachments.map(({ contentUrl }) => contentUrl)].filter((line) => line !== '')
  if (lines.length === 0) throw never('empty')
  const whole = lines.join('\n')
  return smart ? plainPunctuation(whole) : whole
}
