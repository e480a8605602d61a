// The contract of vaults, on the one that tests use.
import { vaultContract } from '../contracts/vault.contract'
import { MemoryVault } from '../support/memory-vault'

vaultContract('memory', async () => {
  const vault = new MemoryVault()
  return { vault, inventory: async () => [...vault.files.keys()], close: () => vault.close() }
})
