// The left side: a customer starts a chat, and finds it again after a reload.
import { connect } from '../../client/channel-client'
import { init, type InitAnswer } from '../../client/rest'
import { ChatPanel } from './chat-panel'
import { byId, sentenceOf, showState } from './dom'

const KEPT = 'fairlead-demo-chat'

export function openCustomerSide(gateway: URL): void {
  const form = byId('customer-start', HTMLFormElement)
  const name = byId('customer-name', HTMLInputElement)
  const problem = byId('customer-problem', HTMLElement)
  showState(byId('customer-state', HTMLElement), 'closed')
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void start()
  })
  const kept = sessionStorage.getItem(KEPT)
  if (kept !== null) enter(gateway, JSON.parse(kept) as InitAnswer)

  async function start(): Promise<void> {
    problem.textContent = ''
    try {
      const firstName = name.value.trim()
      // A chat needs something to know the customer by; a page of yours would give an e-mail address or an account.
      const answer = await init(gateway, {
        channel: 'web',
        firstName,
        visitor: crypto.getRandomValues(new Uint32Array(1))[0],
      })
      sessionStorage.setItem(KEPT, JSON.stringify(answer))
      enter(gateway, answer).focus()
    } catch (error) {
      problem.textContent = sentenceOf(error)
    }
  }
}

function enter(gateway: URL, { conversationId, participant, token }: InitAnswer): ChatPanel {
  const form = byId('customer-start', HTMLFormElement)
  const room = byId('customer-room', HTMLElement)
  const state = byId('customer-state', HTMLElement)
  const client = connect({ url: gateway })
  const conversation = client.join({ conversationId, ...participant, token })
  const leave = () => {
    sessionStorage.removeItem(KEPT)
    client.close()
    showState(state, 'closed')
    room.hidden = true
    form.hidden = false
    byId('customer-name', HTMLInputElement).focus()
  }
  const panel = new ChatPanel(conversation, { side: 'Customer', label: 'Your chat with us', onAgain: leave })
  room.replaceChildren(panel.element)
  room.hidden = false
  form.hidden = true
  showState(state, 'connecting')
  conversation.on('state', (now) => showState(state, now))
  // It is no more: forgotten, or from another day.
  conversation.on('error', ({ message }) => {
    leave()
    byId('customer-problem', HTMLElement).textContent = message
  })
  return panel
}
