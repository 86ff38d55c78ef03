import type { HookName } from '../../lambda/core/hooks.ts'
import type { PerHook } from '../options/choices.ts'
import type { BackendOptions } from '../options/options.ts'

/** How one hook's queue and function are sized. */
export interface HookSettings {
  readonly timeoutSeconds: number
  readonly memoryMegabytes: number
  /** Receives after which an event goes to the dead letters. */
  readonly maxReceives: number
  /** Events of an invocation, at most. */
  readonly batchSize: number
  /** For which a batch is waited for; 0: not at all. */
  readonly batchWindowSeconds: number
  /** Invocations at a time; absent: as many as the account has. */
  readonly maxConcurrency?: number
}

const BATCH = { batchSize: 10, batchWindowSeconds: 0 }
/** A backlog larger than one invocation is continued by the event's next receive, hence so many. */
const DELIVERS_BACKLOG: HookSettings = { timeoutSeconds: 120, memoryMegabytes: 512, maxReceives: 20, ...BATCH }
const WRITES_ROWS: HookSettings = { timeoutSeconds: 30, memoryMegabytes: 256, maxReceives: 5, ...BATCH }

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

/** The defaults, and over them what was chosen. */
export function hookSettings(hook: HookName, options: BackendOptions): HookSettings {
  const { timeoutSeconds, memoryMegabytes, maxReceives, batchSize, batchWindowSeconds } = HOOK_SETTINGS[hook]
  const maxConcurrency = of(hook, options.concurrency)
  return {
    timeoutSeconds: of(hook, options.timeout) ?? timeoutSeconds,
    memoryMegabytes: of(hook, options.memory) ?? memoryMegabytes,
    maxReceives,
    batchSize: of(hook, options.batchSize) ?? batchSize,
    batchWindowSeconds: of(hook, options.batchWindow) ?? batchWindowSeconds,
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
  }
}

const of = (hook: HookName, chosen: PerHook<number> | undefined): number | undefined => (typeof chosen === 'object' ? chosen[hook] : chosen)
