// The routes of staff: login, conversations, accounts, keys.
import type { Agent } from '../../identity/accounts'
import type { ListedKey } from '../../identity/keys'
import type { AccountId } from '../../model/ids'
import { encodeConversation } from './codec'
import type { ChannelDeps } from './deps'
import { staffOf, supervisorOf, type Call, type Handlers } from './rest-call'
import * as wire from './rest-wire'
import { parse } from './tolerant'

type Name =
  | 'login'
  | 'conversations'
  | 'createAgent'
  | 'listAgents'
  | 'changeAgent'
  | 'deleteAgent'
  | 'createKey'
  | 'listKeys'
  | 'deleteKey'

export function adminHandlers(deps: ChannelDeps): Handlers<Name> {
  const { accounts, keys, limiter, limitKeyOf } = deps
  return {
    login: async ({ body, address }) => {
      const { username, password } = parse(wire.loginRequest.schema, body)
      await limiter.consume('loginPerAddress', limitKeyOf(address))
      await limiter.consume('loginPerUser', `${limitKeyOf(address)} ${username.toLowerCase()}`)
      return { json: await accounts.login(username, password) }
    },
    conversations: (call) => listConversations(deps, call),
    createAgent: async (call) => {
      await supervisorOf(deps, call)
      const { username, password, role, name = username } = parse(wire.createAgentRequest.schema, call.body)
      return { json: { agent: shown(await accounts.create({ username, name, role, password })) } }
    },
    listAgents: async (call) => {
      await supervisorOf(deps, call)
      return { json: { agents: accounts.list().map(shown) } }
    },
    changeAgent: async (call) => {
      await supervisorOf(deps, call)
      const { name, role, password, disabled } = parse(wire.changeAgentRequest.schema, call.body)
      const change = { name, role, password, disabled }
      return { json: { agent: shown(await accounts.patch(accountId(call), change)) } }
    },
    deleteAgent: async (call) => {
      await supervisorOf(deps, call)
      await accounts.remove(accountId(call))
      return null
    },
    createKey: async (call) => {
      await supervisorOf(deps, call)
      const { name, kind, channel, account, dailyQuota, prefixes } = parse(wire.createKeyRequest.schema, call.body)
      const wish = { name, kind, channel, account, prefixes, ...(dailyQuota !== undefined && { dailyQuota }) }
      const { key: secret, ...listed } = await keys.create(wish)
      return { json: { key: { ...shownKey(listed), secret } } }
    },
    listKeys: async (call) => {
      await supervisorOf(deps, call)
      return { json: { keys: keys.list().map(shownKey) } }
    },
    deleteKey: async (call) => {
      await supervisorOf(deps, call)
      await keys.revoke(call.params['id'] ?? '')
      return null
    },
  }
}

const accountId = ({ params }: Call): AccountId => (params['id'] ?? '') as AccountId
const shown = ({ id, username, name, role, disabled, createdAt }: Agent) => ({
  id,
  username,
  name,
  role,
  disabled,
  createdAt,
})
const shownKey = ({ id, name, kind, channel, account, dailyQuota, prefixes, createdAt }: ListedKey) => ({
  id,
  name,
  kind,
  channel,
  account,
  dailyQuota,
  prefixes,
  createdAt,
})

async function listConversations(deps: ChannelDeps, call: Call) {
  await staffOf(deps, call)
  const { state, after = '', limit } = parse(wire.conversationsQuery.schema, call.query)
  const status = state === 'active' ? 'open' : 'ended'
  const page = await deps.conversations.list(deps.entryPoint.tenant, status, { after, limit })
  // What nobody has joined is no conversation yet.
  const conversations = page.filter(({ position }) => position > 0).map((one) => encodeConversation(one, 'staff'))
  return { json: { conversations, next: page.length < limit ? null : (page.at(-1)?.id ?? null) } }
}
