import { sqsDeliveries } from '../adapters/function/delivery-queue.ts'
import { lambdaHandler } from '../adapters/function/handler.ts'
import type { Connected } from '../core/events/lifecycle-events.ts'
import type { DeliveryRequest } from '../core/model/delivery-request.ts'
import { type Actions, eachEvent, type Hook, performInOrder } from '../core/model/hook.ts'
import { parseConnectedOrRequest } from '../core/model/parse-delivery-request.ts'
import type { Context } from '../core/model/ports.ts'
import { alsoDelivering } from '../core/queue/requested-deliveries.ts'
import { on_subscribe_lookup } from '../on_subscribe_lookup.ts'

const ACTIONS: Actions<'session.created', [Connected, Context]> = { on_subscribe_lookup }

/** IoT Core has no event for a created session: this hook gets the same connected event as client.connected. */
export const sessionCreated: Hook<Connected | DeliveryRequest> = alsoDelivering<Connected>({
  hook: 'session.created',
  parse: parseConnectedOrRequest,
  handle: eachEvent((event, context) => performInOrder(ACTIONS, context.config.rows, event, context)),
})

export const handler = lambdaHandler(sessionCreated, sqsDeliveries)
