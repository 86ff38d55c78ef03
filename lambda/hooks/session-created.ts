import { lambdaHandler } from '../adapters/function/handler.ts'
import { type Connected, parseConnected } from '../core/events/events.ts'
import { eachAlone, type Hook, working } from '../core/model/hook.ts'
import { on_subscribe_lookup } from '../on_subscribe_lookup.ts'

/** IoT Core has no such event: the hook hears of the same connected event as client.connected. */
export const sessionCreated: Hook<Connected> = {
  hook: 'session.created',
  parse: parseConnected,
  handle: eachAlone((event, context) => working('on_subscribe_lookup', on_subscribe_lookup(event, context))),
}

export const handler = lambdaHandler(sessionCreated)
