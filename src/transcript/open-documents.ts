// Opens what makes documents of conversations, and what mails them.
import type { MailFrom } from './mail-address'
import type { PictureSource } from './pictures'
import { SmtpMailer } from './smtp-mailer'
import type { SmtpServer } from './smtp-url'
import { TranscriptForms } from './transcript-forms'
import { TranscriptMail } from './transcript-mail'

export interface DocumentSettings {
  /** A folder of more fonts, or empty. */
  readonly fontsDir: string
  /** Null: no mails are sent. */
  readonly mail: { readonly server: SmtpServer; readonly from: MailFrom } | null
}
interface Beside {
  readonly pictures: PictureSource
  /** As `Press` takes it. */
  readonly rest: () => number
}
export function openDocuments({ fontsDir, mail }: DocumentSettings, { pictures, rest }: Beside) {
  const transcriptForms = new TranscriptForms({ fontsDir, pictures, rest })
  const transcriptMail = new TranscriptMail({ forms: transcriptForms, mailer: mail && new SmtpMailer(mail) })
  return {
    transcriptForms,
    transcriptMail,
    close: async () => {
      await transcriptMail.close()
      await transcriptForms.close()
    },
  }
}
