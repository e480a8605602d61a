// Makes identifiers. Apart from their names, so that whoever only names one needs no source of chance.
import { randomBytes } from 'node:crypto'
import type { AccountId, ConversationId, DeliveryId, FileId, ParticipantId } from './ids'

/**
 * 128 random bits as 22 base64url characters: unguessable, and never the 20 characters of a Socket.IO socket id. By
 * itself for what has no type of its own: keys, leases, notifications, request ids.
 */
export const newId = (): string => randomBytes(16).toString('base64url')

export const newConversationId = (): ConversationId => newId() as ConversationId
export const newParticipantId = (): ParticipantId => newId() as ParticipantId
export const newDeliveryId = (): DeliveryId => newId() as DeliveryId
export const newFileId = (): FileId => newId() as FileId
export const newAccountId = (): AccountId => newId() as AccountId
