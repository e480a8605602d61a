// Makes the `smpp` package hand over bodies as the bytes they are: which alphabet they are in is for our codec to say.
import * as smpp from 'smpp'

const IDS = { deliver_sm: 5, submit_sm: 4 } as const

/**
 * Its own decoding takes IA5 for GSM 03.38, throws on odd times, and reads a `receipted_message_id` without its final zero
 * on into the next parameter. This holds for the whole process, which has one definition of each command.
 */
export function speakBytes(command: keyof typeof IDS): void {
  const buffer = smpp.tlvs['network_error_code']?.type ?? {}
  for (const [tag, { filter, ...tlv }] of Object.entries(smpp.tlvs)) {
    if (tag === 'receipted_message_id') smpp.addTLV(tag, { ...tlv, type: buffer })
    else if (filter) smpp.addTLV(tag, tlv)
  }
  const { params = {}, ...rest } = smpp.commands[command] ?? { id: IDS[command] }
  const raw = Object.entries(params).map(([name, { filter: _, ...param }]) => [name, param] as const)
  smpp.addCommand(command, { ...rest, params: Object.fromEntries<smpp.ParamDefinition>(raw) })
}
