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

/** Lambda deletes handled events within this time after an invocation, before SQS shows them to another one. */
const VISIBILITY_MARGIN_SECONDS = 10

type Times = Pick<HookSettings, 'timeoutSeconds' | 'batchWindowSeconds'>

/**
 * How long SQS hides an event that was received. AWS advises six timeouts, so that an event that Lambda throttles is received less often.
 * Ours is short and {@link maxReceives} is high instead: what was throttled comes back soon (docs/operations.md#throttling-is-not-failure).
 */
export const visibilitySeconds = ({ timeoutSeconds, batchWindowSeconds }: Times): number =>
  batchWindowSeconds + timeoutSeconds + VISIBILITY_MARGIN_SECONDS

/** An event is tried for an hour at least. */
const TRIED_SECONDS = 3600
const LEAST_RECEIVES = 20

/** Lambda's throttles count as receives, and a backlog larger than one invocation goes on at the next one. */
const maxReceives = (times: Times): number => Math.max(LEAST_RECEIVES, Math.ceil(TRIED_SECONDS / visibilitySeconds(times)))

const BATCH = { batchSize: 10, batchWindowSeconds: 0 }
const withReceives = (settings: Omit<HookSettings, 'maxReceives'>): HookSettings => ({ ...settings, maxReceives: maxReceives(settings) })
/** Deliveries wait for clients. Of an account's 1,000 concurrent executions, Lambda's default quota, they leave most to the hooks that store. */
const DELIVERIES_AT_ONCE = 100
const DELIVERS_BACKLOG = withReceives({ timeoutSeconds: 120, memoryMegabytes: 512, maxConcurrency: DELIVERIES_AT_ONCE, ...BATCH })
const WRITES_ROWS = withReceives({ timeoutSeconds: 30, memoryMegabytes: 256, ...BATCH })

export const HOOK_SETTINGS: Readonly<Record<HookName, HookSettings>> = {
  'client.connected': DELIVERS_BACKLOG,
  'session.created': DELIVERS_BACKLOG,
  'client.disconnected': WRITES_ROWS,
  'session.subscribed': DELIVERS_BACKLOG,
  'session.unsubscribed': WRITES_ROWS,
  // It stores, and waits for no client: what is to be delivered it requests of another function. Soon over, so that what was throttled comes
  // back soon: three tries in a minute.
  'message.publish': withReceives({ timeoutSeconds: 15, memoryMegabytes: 512, ...BATCH }),
  'message.acked': WRITES_ROWS,
}

/** The hook's defaults, replaced by the options where they are set. */
export function hookSettings(hook: HookName, options: BackendOptions): HookSettings {
  const { timeoutSeconds, memoryMegabytes, batchSize, batchWindowSeconds, ...defaults } = HOOK_SETTINGS[hook]
  const maxConcurrency = of(hook, options.concurrency) ?? defaults.maxConcurrency
  return withReceives({
    timeoutSeconds: of(hook, options.timeout) ?? timeoutSeconds,
    memoryMegabytes: of(hook, options.memory) ?? memoryMegabytes,
    batchSize: of(hook, options.batchSize) ?? batchSize,
    batchWindowSeconds: of(hook, options.batchWindow) ?? batchWindowSeconds,
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
  })
}

const of = (hook: HookName, chosen: PerHook<number> | undefined): number | undefined => (typeof chosen === 'object' ? chosen[hook] : chosen)
