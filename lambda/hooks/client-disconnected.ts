import { lambdaHandler } from '../adapters/function/handler.ts'
import { type Disconnected, parseDisconnected } from '../core/events/events.ts'
import { eachAlone, type Hook, working } from '../core/model/hook.ts'
import { on_client_disconnected } from '../on_client_disconnected.ts'

export const clientDisconnected: Hook<Disconnected> = {
  hook: 'client.disconnected',
  parse: parseDisconnected,
  handle: eachAlone((event, context) => working('on_client_disconnected', on_client_disconnected(event, context))),
}

export const handler = lambdaHandler(clientDisconnected)
