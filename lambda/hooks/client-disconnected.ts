import { lambdaHandler } from '../adapters/function/handler.ts'
import { type Disconnected, parseDisconnected } from '../core/events/lifecycle-events.ts'
import { type Actions, eachEvent, type Hook, performInOrder } from '../core/model/hook.ts'
import type { Context } from '../core/model/ports.ts'
import { on_client_disconnected } from '../on_client_disconnected.ts'

const ACTIONS: Actions<'client.disconnected', [Disconnected, Context]> = { on_client_disconnected }

export const clientDisconnected: Hook<Disconnected> = {
  hook: 'client.disconnected',
  parse: parseDisconnected,
  handle: eachEvent((event, context) => performInOrder(ACTIONS, context.config.rows, event, context)),
}

export const handler = lambdaHandler(clientDisconnected)
