import { lambdaHandler } from '../adapters/function/handler.ts'
import { type Connected, parseConnected } from '../core/events/events.ts'
import { eachAlone, type Hook, working } from '../core/model/hook.ts'
import { on_client_connected } from '../on_client_connected.ts'
import { on_subscribe_lookup } from '../on_subscribe_lookup.ts'

const ACTIONS = { on_client_connected, on_subscribe_lookup }

export const clientConnected: Hook<Connected> = {
  hook: 'client.connected',
  parse: parseConnected,
  handle: eachAlone(async (event, context) => {
    for (const { action } of context.config.rows) await working(action, ACTIONS[action as keyof typeof ACTIONS](event, context))
  }),
}

export const handler = lambdaHandler(clientConnected)
