/** The parser of each hook's events: a letter that its hook can never handle is not worth redriving. */

import { parseAck } from '../../lambda/core/events/ack-events.ts'
import { parseDisconnected, parseSubscriptionChange } from '../../lambda/core/events/lifecycle-events.ts'
import { parsePublish } from '../../lambda/core/events/publish-events.ts'
import type { HookName } from '../../lambda/core/hooks.ts'
import { parseConnectedOrRequest, parseSubscribedOrRequest } from '../../lambda/core/model/parse-delivery-request.ts'

/** Each parser throws BackendError `bad-event` on an event that the hook can never handle. */
export const EVENT_PARSERS: Readonly<Record<HookName, (event: unknown) => unknown>> = {
  'client.connected': parseConnectedOrRequest,
  'session.created': parseConnectedOrRequest,
  'client.disconnected': parseDisconnected,
  'session.subscribed': parseSubscribedOrRequest,
  'session.unsubscribed': parseSubscriptionChange,
  'message.publish': parsePublish,
  'message.acked': parseAck,
}
