// Puts this gateway's own address into the examples.
const base = new URL('.', location.href).href.replace(/\/$/, '')
const path = new URL(base).pathname.replace(/\/$/, '')
const values = { base, origin: location.origin, path }
for (const [name, value] of Object.entries(values))
  for (const place of document.querySelectorAll(`[data-${name}]`)) place.textContent = value
