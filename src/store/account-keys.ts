// What every account store must agree on: when two usernames are the same, who can make accounts, and how many keys a scope may have.
import type { Account } from './account-store'

/** Two: the one in use and the one that replaces it. */
export const MAX_KEYS_PER_SCOPE = 2

export const usernameKey = (username: string): string => username.toLowerCase()

export const isEnabledSupervisor = ({ role, disabled }: Account): boolean => role === 'supervisor' && !disabled
