import type { HookName } from '../../lambda/core/hooks.ts'
import type { PerHook } from '../options/choices.ts'
import type { BackendOptions } from '../options/options.ts'

/** Sizes of one hook's queue and function. */
export interface HookSettings {
  readonly timeoutSeconds: number
  readonly memoryMegabytes: number
  /** Receives after which SQS moves an event to the dead-letter queue. */
  readonly maxReceives: number
  /** Events in one invocation, at most. */
  readonly batchSize: number
  /** Time that Lambda waits to fill a batch; 0: it does not wait. */
  readonly batchWindowSeconds: number
  /** Concurrent invocations, at most; absent: as many as the account has. */
  readonly maxConcurrency?: number
}

const BATCH = { batchSize: 10, batchWindowSeconds: 0 }
/** A backlog larger than one invocation goes on at the event's next receive, so 20 receives are normal. */
const DELIVERS_BACKLOG: HookSettings = { timeoutSeconds: 120, memoryMegabytes: 512, maxReceives: 20, ...BATCH }
const WRITES_ROWS: HookSettings = { timeoutSeconds: 30, memoryMegabytes: 256, maxReceives: 5, ...BATCH }

export const HOOK_SETTINGS: Readonly<Record<HookName, HookSettings>> = {
  'client.connected': DELIVERS_BACKLOG,
  'session.created': DELIVERS_BACKLOG,
  'client.disconnected': WRITES_ROWS,
  'session.subscribed': DELIVERS_BACKLOG,
  'session.unsubscribed': WRITES_ROWS,
  // A push to a half-open subscriber is repeated until IoT Core notices: up to 1.5 keep-alives.
  'message.publish': DELIVERS_BACKLOG,
  'message.acked': WRITES_ROWS,
}

/** The hook's defaults, replaced by the options where they are set. */
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
