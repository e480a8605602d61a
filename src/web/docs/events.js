// Shows the AsyncAPI document with the AsyncAPI component. The document is fetched here, so that its address stays relative.
async function show(place) {
  try {
    const response = await fetch('../api/asyncapi.json')
    if (!response.ok) throw new Error(`The gateway answered ${response.status}.`)
    const schema = headed(await response.json())
    window.AsyncApiStandalone.render({ schema, config: { show: { sidebar: true, errors: true } } }, place)
  } catch (cause) {
    place.textContent = `The document could not be shown. ${cause instanceof Error ? cause.message : ''}`
  }
}

/** The component heads an operation with its channel's address, which is `/` for all: here it is the event's name instead. */
function headed(document) {
  const { root } = document.channels
  const channels = { root }
  const operations = {}
  for (const [id, operation] of Object.entries(document.operations)) {
    const names = operation.messages.map(({ $ref }) => $ref.split('/').pop())
    channels[id] = {
      address: operation.title,
      servers: root.servers,
      messages: Object.fromEntries(names.map((name) => [name, root.messages[name]])),
    }
    operations[id] = {
      ...operation,
      channel: { $ref: `#/channels/${id}` },
      messages: names.map((name) => ({ $ref: `#/channels/${id}/messages/${name}` })),
    }
  }
  return { ...document, channels, operations }
}
void show(document.getElementById('reference'))
