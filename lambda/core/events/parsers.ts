/** What reads each hook's events, for whoever must know beforehand whether a hook can: the redrive of dead letters. */

import type { HookName } from '../hooks.ts'
import { parseAck, parseConnected, parseDisconnected, parsePublish, parseSubscriptionChange } from './events.ts'

/** Each throws BackendError `bad-event` on an event that the hook will never handle. */
export const EVENT_PARSERS: Readonly<Record<HookName, (event: unknown) => unknown>> = {
  'client.connected': parseConnected,
  'session.created': parseConnected,
  'client.disconnected': parseDisconnected,
  'session.subscribed': parseSubscriptionChange,
  'session.unsubscribed': parseSubscriptionChange,
  'message.publish': parsePublish,
  'message.acked': parseAck,
}
