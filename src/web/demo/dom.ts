// Finding and making elements, with text nodes only: what people write never becomes markup.

/** The element with this id; the page and its script belong together, so a missing one is a mistake of ours. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  return checked(document.getElementById(id), id, type)
}

export function within<T extends HTMLElement>(root: ParentNode, selector: string, type: new () => T): T {
  return checked(root.querySelector(selector), selector, type)
}

function checked<T extends HTMLElement>(found: Element | null, name: string, type: new () => T): T {
  if (found instanceof type) return found
  throw new Error(`The page has no ${name}.`)
}

export function make(tag: string, className: string, ...content: (string | Node)[]): HTMLElement {
  const element = document.createElement(tag)
  element.className = className
  element.append(...content)
  return element
}

const WORDS = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  closed: 'Not connected',
} as const

export function showState(element: HTMLElement, state: keyof typeof WORDS): void {
  element.dataset['state'] = state
  element.textContent = WORDS[state]
}

export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
