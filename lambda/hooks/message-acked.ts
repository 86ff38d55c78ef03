import { lambdaHandler } from '../adapters/function/handler.ts'
import { type AckEvent, parseAck } from '../core/events/events.ts'
import { eachAlone, type Hook, working } from '../core/model/hook.ts'
import { allDone } from '../core/promises.ts'
import { on_message_acked_for_queue } from '../on_message_acked_for_queue.ts'

/** From the ack topic `acked/<clientid>`; the PUBACK of a direct message acknowledges in process. */
export const messageAcked: Hook<AckEvent> = {
  hook: 'message.acked',
  parse: parseAck,
  msgid: ({ acks }) => (acks.length === 1 ? acks[0]!.msgid : undefined),
  handle: eachAlone((event, context) =>
    allDone(event.acks.map((ack) => working('on_message_acked_for_queue', on_message_acked_for_queue(event, ack, context)))),
  ),
}

export const handler = lambdaHandler(messageAcked)
