// The right side: an agent signs in, sees who is there, joins and answers.
import { connect, type ChannelClient } from '../../client/channel-client'
import { listConversations, login } from '../../client/rest'
import type { WireConversation } from '../../dialects/customer-channel/wire'
import { ChatPanel } from './chat-panel'
import { byId, make, sentenceOf, showState } from './dom'

export function openAgentSide(gateway: URL): void {
  const form = byId('agent-login', HTMLFormElement)
  const problem = byId('agent-problem', HTMLElement)
  const username = byId('agent-username', HTMLInputElement)
  const password = byId('agent-password', HTMLInputElement)
  showState(byId('agent-state', HTMLElement), 'closed')
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void signIn()
  })

  async function signIn(): Promise<void> {
    problem.textContent = ''
    try {
      const { token, agent } = await login(gateway, { username: username.value.trim(), password: password.value })
      const { conversations } = await listConversations(gateway, token, { state: 'active', limit: 50 })
      password.value = ''
      form.hidden = true
      const desk = new Desk(connect({ url: gateway, token }), agent.name)
      for (const conversation of conversations) desk.add(conversation)
      byId('agent-desk', HTMLElement).hidden = false
      byId('agent-list-title', HTMLElement).focus()
    } catch (error) {
      problem.textContent = sentenceOf(error)
    }
  }
}

class Desk {
  readonly #entries = new Map<string, HTMLElement>()
  readonly #panels = new Map<string, ChatPanel>()

  constructor(
    private readonly client: ChannelClient,
    private readonly name: string,
  ) {
    const state = byId('agent-state', HTMLElement)
    byId('agent-name', HTMLElement).textContent = `Signed in as ${name}`
    showState(state, client.state)
    client.on('state', (now) => showState(state, now))
    client.on('initConversation', (conversation) => this.add(conversation))
    client.on('error', ({ message }) => {
      if (client.state === 'closed') this.#signOut(message)
    })
  }

  add({ conversationId, createdAt, channel, customer }: WireConversation): void {
    if (this.#entries.has(conversationId)) return
    const name = customer?.name || 'Somebody'
    const since = new Date(createdAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    const button = make('button', 'entry', make('strong', '', name), make('span', '', `${channel}, ${since}`))
    button.setAttribute('type', 'button')
    button.addEventListener('click', () => this.#open(conversationId, name))
    const entry = make('li', '', button)
    this.#entries.set(conversationId, entry)
    byId('agent-list', HTMLElement).append(entry)
    byId('agent-empty', HTMLElement).hidden = true
  }

  #open(conversationId: string, customer: string): void {
    const panel = this.#panels.get(conversationId) ?? this.#join(conversationId, customer)
    for (const [id, entry] of this.#entries)
      entry.firstElementChild?.setAttribute('aria-current', String(id === conversationId))
    byId('agent-room', HTMLElement).replaceChildren(panel.element)
    panel.focus()
  }

  #join(conversationId: string, customer: string): ChatPanel {
    const conversation = this.client.join({ conversationId, name: this.name })
    const panel = new ChatPanel(conversation, { side: 'Agent', label: `Conversation with ${customer}` })
    this.#panels.set(conversationId, panel)
    conversation.on('ended', () => this.#remove(conversationId))
    conversation.on('error', () => this.#remove(conversationId))
    return panel
  }

  /** From the list; what is on the screen stays there to be read. */
  #remove(conversationId: string): void {
    this.#entries.get(conversationId)?.remove()
    this.#entries.delete(conversationId)
    this.#panels.delete(conversationId)
    byId('agent-empty', HTMLElement).hidden = this.#entries.size > 0
  }

  #signOut(why: string): void {
    for (const id of [...this.#entries.keys()]) this.#remove(id)
    byId('agent-desk', HTMLElement).hidden = true
    byId('agent-login', HTMLFormElement).hidden = false
    byId('agent-problem', HTMLElement).textContent = why
  }
}
