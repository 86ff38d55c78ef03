/** Every hook by its name, as `lambda/hooks` has it: the one such map for tests and bench. A hook that is missing is a compile error. */
import type { HookName } from '../../lambda/core/hooks.ts'
import type { Hook } from '../../lambda/core/model/hook.ts'
import { clientConnected } from '../../lambda/hooks/client-connected.ts'
import { clientDisconnected } from '../../lambda/hooks/client-disconnected.ts'
import { messageAcked } from '../../lambda/hooks/message-acked.ts'
import { messagePublish } from '../../lambda/hooks/message-publish.ts'
import { sessionCreated } from '../../lambda/hooks/session-created.ts'
import { sessionSubscribed } from '../../lambda/hooks/session-subscribed.ts'
import { sessionUnsubscribed } from '../../lambda/hooks/session-unsubscribed.ts'

// biome-ignore lint/suspicious/noExplicitAny: hooks of different events in one table
export const HOOK_HANDLERS: Readonly<Record<HookName, Hook<any>>> = {
  'client.connected': clientConnected,
  'session.created': sessionCreated,
  'client.disconnected': clientDisconnected,
  'session.subscribed': sessionSubscribed,
  'session.unsubscribed': sessionUnsubscribed,
  'message.publish': messagePublish,
  'message.acked': messageAcked,
}
