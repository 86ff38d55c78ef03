import type { HookName } from '../lambda/core/hooks.ts'

/** How one hook's queue and function are sized. */
export interface HookSettings {
  readonly timeoutSeconds: number
  readonly memoryMegabytes: number
  /** Receives after which an event goes to the dead letters. */
  readonly maxReceives: number
}

/** A backlog larger than one invocation is continued by the event's next receive, hence so many. */
const DELIVERS_BACKLOG: HookSettings = { timeoutSeconds: 120, memoryMegabytes: 512, maxReceives: 20 }
const WRITES_ROWS: HookSettings = { timeoutSeconds: 30, memoryMegabytes: 256, maxReceives: 5 }

export const HOOK_SETTINGS: Readonly<Record<HookName, HookSettings>> = {
  'client.connected': DELIVERS_BACKLOG,
  'session.created': DELIVERS_BACKLOG,
  'client.disconnected': WRITES_ROWS,
  'session.subscribed': DELIVERS_BACKLOG,
  'session.unsubscribed': WRITES_ROWS,
  // A push that finds its subscriber half-open goes on until the platform notices: up to one and a half keep-alives.
  'message.publish': DELIVERS_BACKLOG,
  'message.acked': WRITES_ROWS,
}
