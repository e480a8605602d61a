// The thread in which tests read PDFs: pdf.js is a module of the kind that jest does not load.
import { parentPort, workerData } from 'node:worker_threads'
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs'

const pdf = await getDocument({ data: workerData, verbosity: 0, useSystemFonts: false }).promise
const { info } = await pdf.getMetadata()
const pages = []
for (let number = 1; number <= pdf.numPages; number++) {
  const page = await pdf.getPage(number)
  const { items } = await page.getTextContent({ disableNormalization: true })
  const annotations = await page.getAnnotations()
  const tags = []
  const alts = []
  const walk = (node) => {
    if (node?.role) tags.push(node.role)
    if (node?.alt) alts.push(node.alt)
    node?.children?.forEach(walk)
  }
  walk(await page.getStructTree())
  pages.push({
    lines: linesOf(items),
    links: annotations.map(({ subtype, url, unsafeUrl }) => ({ subtype, url: url ?? unsafeUrl ?? null })),
    tags,
    alts,
  })
  page.cleanup()
}
const outline = ((await pdf.getOutline()) ?? []).map(({ title }) => title)
const scripts = JSON.stringify([await pdf.getJSActions(), await pdf.getOpenAction(), await pdf.getAttachments()])
parentPort.postMessage({
  info,
  language: info.Language ?? null,
  fingerprint: pdf.fingerprints[0],
  pages,
  outline,
  scripts,
})

/** What stands at one height, in the order in which it was written. */
function linesOf(items) {
  const lines = []
  let height = null
  for (const { str, transform } of items) {
    if (str === '') continue
    if (height === null || Math.abs(transform[5] - height) > 6) lines.push('')
    height = transform[5]
    lines.push(lines.pop() + str)
  }
  return lines
}
