// A transcript as a mail: to read at once, and as a PDF to keep.
import { buffer, text } from 'node:stream/consumers'
import { GatewayError } from '../model/errors'
import { readMailAddress } from './mail-address'
import type { Mailer, SentMail } from './mailer'
import type { CustomerTranscript } from './transcript'
import type { TranscriptForms } from './transcript-forms'
import { Wording } from './wording'

export class TranscriptMail {
  readonly #forms: TranscriptForms
  readonly #mailer: Mailer | null

  /** @param deps.mailer null: no mail server is set */
  constructor(deps: { readonly forms: TranscriptForms; readonly mailer: Mailer | null }) {
    this.#forms = deps.forms
    this.#mailer = deps.mailer
  }

  /**
   * Resolves when the mail server has taken it. The customer's form alone: a mail leaves the house.
   * @throws GatewayError `unavailable` without a mail server, and whatever `Mailer.send` and `Press.print` throw
   */
  async send(
    transcript: CustomerTranscript,
    to: string,
    { timeZone = 'UTC', signal }: { readonly timeZone?: string | undefined; readonly signal?: AbortSignal } = {},
  ): Promise<SentMail> {
    if (!this.#mailer)
      throw new GatewayError('unavailable', 'This gateway sends no mail: SMTP_URL is not set. Ask for pdf.', {
        permanent: true,
      })
    const address = readMailAddress(to)
    const { language } = transcript
    const wording = new Wording({ timeZone, language })
    // One after the other: together they would hold three documents in memory.
    const html = await text((await this.#forms.render(transcript, { form: 'html', timeZone })).body)
    const plain = await text((await this.#forms.render(transcript, { form: 'txt', timeZone })).body)
    const pdf = await this.#forms.render(transcript, { form: 'pdf', timeZone })
    return this.#mailer.send({
      to: address,
      subject: [wording.labels.title, transcript.subject, wording.day(transcript.startedAt)].filter(Boolean).join(', '),
      text: plain,
      html,
      attachments: [{ name: pdf.filename, mediaType: pdf.mediaType, content: await buffer(pdf.body) }],
      language: wording.language,
      signal,
    })
  }
  async close(): Promise<void> {
    await this.#mailer?.close()
  }
}
