/**
 * The Lambda envelope: takes a batch of queue messages, returns the failed ones, logs a line for each and one of metrics, never a payload (I10).
 */

import { badEvent } from '../../core/events/fields.ts'
import type { Delivery, Hook } from '../../core/model/hook.ts'
import type { Ignored } from '../../core/model/ignored.ts'
import type { LimitHit } from '../../core/model/ports.ts'
import { emfLines } from './emf.ts'
import { type DeliveriesTo, environment, isInitializing, type Surroundings } from './environment.ts'
import { isRefused, logIgnored, logLimited, logOutcome } from './log.ts'
import { meterOf } from './meter.ts'

export interface SqsRecord {
  readonly messageId: string
  readonly body: string
  readonly attributes?: { readonly ApproximateReceiveCount: string; readonly SentTimestamp?: string }
}
export interface SqsEvent {
  readonly Records: readonly SqsRecord[]
}
export interface LambdaContext {
  getRemainingTimeInMillis(): number
}
/** Partial batch response: these messages become visible again, the others are done. */
export interface SqsBatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}
export type Handler = (event: SqsEvent, context: LambdaContext) => Promise<SqsBatchResponse>

/**
 * The hook's Lambda handler. It reads its environment once: when Lambda initializes the function, else with the first event.
 * `deliveriesTo`: of a hook that requests deliveries.
 */
export function lambdaHandler<Event>(hook: Hook<Event>, deliveriesTo?: DeliveriesTo): Handler {
  let handler: Handler | undefined
  const current = (): Handler => {
    handler ??= handlerOf(hook, environment(deliveriesTo))
    return handler
  }
  if (isInitializing()) tryNow(current)
  return (event, context) => current()(event, context)
}

/** What fails at load fails again with the first event, which reports it. */
function tryNow(work: () => unknown): void {
  try {
    work()
  } catch {}
}

export function handlerOf<Event>(
  hook: Hook<Event>,
  { config, ports, log, namespace, maxReceives = Number.POSITIVE_INFINITY, logLevel = 'info' }: Surroundings,
): Handler {
  return async ({ Records }, lambda) => {
    const started = ports.clock.now()
    const deadline = started + lambda.getRemainingTimeInMillis()
    const meter = namespace === undefined ? undefined : meterOf(hook.hook, ports, config)
    const batch = Records.map((record) => ({ record, ...parse(hook, record), watched: meter?.watch() }))
    const deliveries = batch.flatMap(({ record, event, watched }): Delivery<Event>[] => {
      if (event === undefined) return []
      const ignored = (what: Ignored) => {
        logIgnored(log, hook.hook, record.messageId, what)
        if (what.code === 'bad-operator-row') meter?.ignored()
      }
      const limited = (hit: LimitHit) => {
        logLimited(log, hook.hook, record.messageId, hit)
        meter?.limited()
      }
      return [
        {
          event,
          context: {
            ports: watched?.ports ?? ports,
            config,
            invocation: { id: record.messageId, receives: receivesOf(record), began: started, deadline },
            ignored,
            limited,
          },
        },
      ]
    })
    const handled = (await hook.handle(deliveries))[Symbol.iterator]()
    const failed = batch.filter(({ record, event, error, watched }) => {
      const result: PromiseSettledResult<void> = event === undefined ? { status: 'rejected', reason: error } : handled.next().value!
      const { messageId } = record
      const receives = receivesOf(record)
      const msgid = event && hook.msgid?.(event)
      logOutcome(log, logLevel, { hook: hook.hook, messageId, receives, event, msgid, result, ms: ports.clock.now() - started })
      meter?.handled({ event, sentAt: sentAt(record), isLastTry: receives >= maxReceives }, result, watched?.lastDelivered())
      return result.status === 'rejected' && !isRefused(result.reason)
    })
    if (meter !== undefined) for (const line of emfLines(namespace!, meter, ports.clock.now())) log(line)
    return { batchItemFailures: failed.map(({ record }) => ({ itemIdentifier: record.messageId })) }
  }
}

/** No row is larger than the event it comes from. An event of this size fits into an item of DynamoDB (400 KB), so none fails half way. */
const MAX_EVENT_BYTES = 384 * 1024

const receivesOf = ({ attributes }: SqsRecord): number => Number(attributes?.ApproximateReceiveCount ?? 1)
/** When the rule sent the event, in ms. A dead letter that is sent again by a redrive has the time of that. */
const sentAt = ({ attributes }: SqsRecord): number | undefined =>
  attributes?.SentTimestamp === undefined ? undefined : Number(attributes.SentTimestamp)

function parse<Event>(hook: Hook<Event>, record: SqsRecord): { event?: Event; error?: unknown } {
  try {
    if (Buffer.byteLength(record.body) > MAX_EVENT_BYTES) throw badEvent('the event', record.body, `at most ${MAX_EVENT_BYTES} bytes`)
    return { event: hook.parse(JSON.parse(record.body)) }
  } catch (error) {
    return { error }
  }
}
