/** Structured JSON log lines. Never a payload or a credential (I10): only the fields below are ever written. */
import { BackendError } from '../../core/errors.ts'
import type { HookName } from '../../core/hooks.ts'
import { REFUSED_CODE, UNFINISHED_CODE } from '../../core/metrics.ts'
import { actionOf } from '../../core/model/hook.ts'
import type { Ignored } from '../../core/model/ignored.ts'
import type { LimitHit } from '../../core/model/ports.ts'

export type Log = (line: string) => void
/** `info`: a line for each event. `warn`: only for those that failed. */
export type LogLevel = 'info' | 'warn'

export interface Outcome {
  readonly hook: HookName
  readonly messageId: string
  /** How often the queue has handed out the event, this time included. */
  readonly receives: number
  /** The parsed event, if it could be parsed. */
  readonly event: unknown
  readonly msgid: string | undefined
  readonly result: PromiseSettledResult<void>
  readonly ms: number
}

export function logOutcome(log: Log, level: LogLevel, { hook, messageId, receives, event, msgid, result, ms }: Outcome): void {
  const { clientid, sender, topic } = (event ?? {}) as { clientid?: string; sender?: string; topic?: string }
  const where = { hook, messageId, receives, client: clientid ?? sender, topic, msgid, ms }
  if (result.status === 'fulfilled') {
    if (level === 'info') log(JSON.stringify({ level, outcome: 'done', ...where }))
  } else
    log(
      JSON.stringify({
        level: isExpected(result.reason) ? 'warn' : 'error',
        outcome: isRefused(result.reason) ? 'refused' : 'failed',
        ...where,
        action: actionOf(result.reason),
        ...codeAndMessage(result.reason),
      }),
    )
}

const IGNORED: Readonly<Record<Ignored['code'], string>> = {
  'bad-operator-row': 'mqtt_sub row of client',
  'bad-property': 'publish of client',
  'bad-durable-subscription': 'subscription of client',
  'receipt-unsent': 'receipt for client',
}

/** What was passed over. */
export function logIgnored(log: Log, hook: HookName, messageId: string, { code, clientid, topic, why }: Ignored): void {
  const error = `${IGNORED[code]} '${clientid}', topic '${topic}': ${why}; passed over`
  log(
    JSON.stringify({
      level: 'warn',
      outcome: 'ignored',
      hook,
      messageId,
      client: clientid,
      topic,
      code,
      error,
    }),
  )
}

/** A limit that was hit: which one, whose, and what happens next. */
export function logLimited(log: Log, hook: HookName, messageId: string, { limit, clientid, topic, why }: LimitHit): void {
  const error = `client '${clientid}', topic '${topic}': ${why}`
  log(JSON.stringify({ level: 'warn', outcome: 'limited', hook, messageId, client: clientid, topic, code: limit, error }))
}

/** A request to the data plane that is sent again within the invocation. */
export function logRepeat(log: Log, call: string, error: unknown): void {
  const { code, name } = error as NodeJS.ErrnoException
  log(JSON.stringify({ level: 'info', outcome: 'repeated', call, code: code ?? name }))
}

/** The event continues at its next try: no reason to worry. */
const isExpected = (error: unknown): boolean => isRefused(error) || (error instanceof BackendError && error.code === UNFINISHED_CODE)

/** A client made the event wrong: it is dropped, and wakes nobody. */
export const isRefused = (error: unknown): boolean => error instanceof BackendError && error.code === REFUSED_CODE

/** The code that the log line tells. */
export const codeOf = (error: unknown): string => codeAndMessage(error).code

function codeAndMessage(error: unknown): { code: string; error: string } {
  if (error instanceof BackendError) return { code: error.code, error: error.message }
  // The message of JSON.parse quotes the text, so it is not logged.
  if (error instanceof SyntaxError) return { code: 'bad-event', error: 'queue message is no JSON, wanted what an IoT rule selects' }
  return error instanceof Error ? { code: error.name, error: error.message } : { code: 'unknown', error: typeof error }
}
