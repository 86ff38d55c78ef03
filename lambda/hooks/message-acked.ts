import { lambdaHandler } from '../adapters/function/handler.ts'
import { type AckEvent, parseAck } from '../core/events/ack-events.ts'
import { type Actions, eachEvent, type Hook, performInOrder } from '../core/model/hook.ts'
import type { Context } from '../core/model/ports.ts'
import { on_message_acked_for_pubsub } from '../on_message_acked_for_pubsub.ts'
import { on_message_acked_for_queue } from '../on_message_acked_for_queue.ts'

const ACTIONS: Actions<'message.acked', [AckEvent, Context]> = { on_message_acked_for_queue, on_message_acked_for_pubsub }

/** Events of the ack topic `acked/<clientid>`. The PUBACK of a direct message makes no event: its sender acknowledges at once. */
export const messageAcked: Hook<AckEvent> = {
  hook: 'message.acked',
  parse: parseAck,
  msgid: ({ acks }) => (acks.length === 1 ? acks[0]!.msgid : undefined),
  handle: eachEvent((event, context) => performInOrder(ACTIONS, context.config.rows, event, context)),
}

export const handler = lambdaHandler(messageAcked)
