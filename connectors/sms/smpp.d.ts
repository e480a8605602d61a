// The part of the untyped `smpp` 0.5.1 package that the connector and its tests use.
declare module 'smpp' {
  import type { EventEmitter } from 'node:events'
  import type { Server as NetServer, Socket } from 'node:net'

  interface ParamDefinition {
    readonly type: object
    readonly filter?: object
    readonly default?: unknown
  }
  interface CommandDefinition {
    readonly id: number
    readonly params?: Readonly<Record<string, ParamDefinition>>
  }
  interface TlvDefinition {
    readonly id: number
    readonly type: object
    readonly filter?: object
    readonly multiple?: boolean
  }

  /** A packet as it was read; which fields are there depends on the command and on the peer. */
  interface Pdu {
    readonly command: string
    readonly command_id: number
    readonly command_status: number
    readonly sequence_number: number
    readonly system_id?: string
    readonly password?: string
    readonly message_id?: string
    readonly source_addr_ton?: number
    readonly source_addr_npi?: number
    readonly source_addr?: string
    readonly dest_addr_ton?: number
    readonly dest_addr_npi?: number
    readonly destination_addr?: string
    readonly esm_class?: number
    readonly data_coding?: number
    readonly registered_delivery?: number
    readonly short_message?: unknown
    readonly message_payload?: unknown
    readonly receipted_message_id?: unknown
    readonly network_error_code?: unknown
    readonly message_state?: number
    readonly sar_msg_ref_num?: number
    readonly sar_total_segments?: number
    readonly sar_segment_seqnum?: number
    isResponse(): boolean
    response(fields?: Fields): Pdu
  }
  type Fields = Readonly<Record<string, unknown>>
  /** False: the socket is gone and nothing was sent. May throw when a field does not fit. */
  type Send = (fields: Fields, answered?: (answer: Pdu) => void) => boolean

  class Session extends EventEmitter {
    readonly socket: Socket
    readonly sequence: number
    send(pdu: Pdu): boolean
    close(): void
    destroy(): void
    bind_transceiver: Send
    submit_sm: Send
    deliver_sm: Send
    enquire_link: Send
    unbind: Send
  }
  interface Server extends NetServer {
    readonly sessions: readonly Session[]
  }

  function connect(options: object): Session
  function createServer(options: object, listener: (session: Session) => void): Server
  function addCommand(command: string, definition: CommandDefinition): void
  function addTLV(tag: string, definition: TlvDefinition): void
  const commands: Readonly<Record<string, CommandDefinition>>
  const tlvs: Readonly<Record<string, TlvDefinition>>
  const errors: Readonly<Record<string, number>>
}
