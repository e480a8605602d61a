// Opens what says who somebody is: tokens, accounts and keys, over the secret that the settings give or the gateway keeps.
import { join } from 'node:path'
import type { Tenant } from '../model/ids'
import type { AccountStore } from '../store/account-store'
import { Accounts } from './accounts'
import { Credentials } from './credentials'
import { keptSecret } from './kept-secret'
import { ApiKeys } from './keys'
import type { Passwords } from './passwords'
import { Tokens } from './tokens'

interface IdentitySettings {
  /** The first signs, all verify. Empty: one is made and kept in `dataDir`. */
  readonly secretKeys: readonly string[]
  readonly dataDir: string
  readonly admin: Parameters<Accounts['ensureFirstSupervisor']>[0]
  readonly connectorKeys: NonNullable<Parameters<typeof ApiKeys.open>[0]['fixed']>
}
interface Deps {
  readonly store: AccountStore
  readonly passwords: Passwords
  readonly tenant: Tenant
  readonly now: () => Date
}

export async function openIdentity(settings: IdentitySettings, { store, passwords, tenant, now }: Deps) {
  const { dataDir, admin, connectorKeys } = settings
  const secretKeys =
    settings.secretKeys.length > 0 ? settings.secretKeys : [await keptSecret(join(dataDir, 'secret-key'))]
  const tokens = new Tokens({ secretKeys, now })
  const accounts = await Accounts.open({ store, tokens, passwords, tenant, now })
  const firstSupervisor = await accounts.ensureFirstSupervisor(admin, dataDir)
  const keys = await ApiKeys.open({ store, fixed: connectorKeys, tenant, now })
  const credentials = new Credentials({ tokens, accounts, keys })
  return { secretKeys, tokens, accounts, keys, credentials, firstSupervisor }
}
