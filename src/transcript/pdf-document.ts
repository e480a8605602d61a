// Opens the PDF of a conversation: its metadata come from the data alone, so that the same words are the same bytes.
import PDFDocument from 'pdfkit'

export type PdfDocument = PDFKit.PDFDocument
export type PdfReference = PDFKit.PDFKitReference
export type PdfElement = PDFKit.PDFStructureElement

export interface PdfFacts {
  readonly title: string
  readonly subject: string
  readonly language: string
  readonly createdAt: Date
}
/** A4, in points. */
export const PAGE = { width: 595.28, height: 841.89, side: 48, top: 52, bottom: 60 } as const

export function openDocument({ title, subject, language, createdAt }: PdfFacts): PdfDocument {
  return new PDFDocument({
    size: [PAGE.width, PAGE.height],
    margins: { left: PAGE.side, right: PAGE.side, top: PAGE.top, bottom: PAGE.bottom },
    pdfVersion: '1.7',
    tagged: true,
    lang: language,
    displayTitle: true,
    autoFirstPage: false,
    // pdfkit derives the document's id from these.
    info: {
      Title: title,
      Subject: subject,
      Producer: 'Fairlead',
      Creator: 'Fairlead',
      CreationDate: createdAt,
    },
  })
}
