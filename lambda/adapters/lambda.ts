/** The Lambda envelope: a batch of queue messages in, the failed ones back; one log line for each, without payloads (I10). */

import { badEvent } from '../core/event-fields.ts'
import type { Delivery, Hook } from '../core/hook-entry.ts'
import type { HookConfig } from '../core/hooks.ts'
import type { Ports } from '../core/ports.ts'
import { environment } from './environment.ts'
import { type Log, logOutcome } from './log.ts'

export interface SqsRecord {
  readonly messageId: string
  readonly body: string
  readonly attributes?: { readonly ApproximateReceiveCount: string }
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

export interface Surroundings {
  readonly config: HookConfig
  readonly ports: Ports
  readonly log: Log
}

/** The hook's handler on what the template gives it; read on the first event, kept for the next. */
export function lambdaHandler<Event>(hook: Hook<Event>): Handler {
  let handler: Handler | undefined
  return (event, context) => {
    handler ??= handlerOf(hook, environment())
    return handler(event, context)
  }
}

export function handlerOf<Event>(hook: Hook<Event>, { config, ports, log }: Surroundings): Handler {
  return async ({ Records }, lambda) => {
    const started = ports.clock.now()
    const deadline = started + lambda.getRemainingTimeInMillis()
    const parsed = Records.map((record) => parse(hook, record))
    const deliveries = parsed.flatMap((one, i): Delivery<Event>[] =>
      'event' in one ? [{ event: one.event, context: { ports, config, invocation: { ...received(Records[i]!), deadline } } }] : [],
    )
    const handled = (await hook.handle(deliveries))[Symbol.iterator]()
    const failed = Records.filter((record, i) => {
      const one = parsed[i]!
      const result: PromiseSettledResult<void> = 'event' in one ? handled.next().value! : { status: 'rejected', reason: one.error }
      const event = 'event' in one ? one.event : undefined
      logOutcome(log, { hook: hook.hook, messageId: record.messageId, event, result, ms: ports.clock.now() - started })
      return result.status === 'rejected'
    })
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
  }
}

/** What an event writes is never more than its text: this fits into an item of DynamoDB (400 KB), and so do all of its writes or none. */
const MAX_EVENT_BYTES = 384 * 1024

const received = ({ messageId, attributes }: SqsRecord) => ({ id: messageId, receives: Number(attributes?.ApproximateReceiveCount ?? 1) })

function parse<Event>(hook: Hook<Event>, record: SqsRecord): { event: Event } | { error: unknown } {
  try {
    if (Buffer.byteLength(record.body) > MAX_EVENT_BYTES) throw badEvent('the event', record.body, `at most ${MAX_EVENT_BYTES} bytes`)
    return { event: hook.parse(JSON.parse(record.body)) }
  } catch (error) {
    return { error }
  }
}
