/** The SQL of the probe's rules, and how `mqtt-dynamodb smoke` reads their events: answers to questions that AWS's pages leave open. */

/** Topics and client ids of `mqtt-dynamodb smoke` start with these. */
export const SMOKE_TOPICS = 'smoke/'
export const SMOKE_CLIENTS = 'smoke-'
const CONNECTED = `$aws/events/presence/connected/${SMOKE_CLIENTS}`

/** The SQL by kind. The rule `error` lacks the permission to send, so that its error action runs. */
export const PROBE_SQL = {
  wildcard: `SELECT 'wildcard' AS kind, topic() AS topic FROM '#' WHERE startswith(topic(), '${CONNECTED}')`,
  empty: `SELECT 'empty' AS kind, topic() AS topic, encode(*, 'base64') AS payload FROM '${SMOKE_TOPICS}+/empty'`,
  trace: `SELECT 'trace' AS kind, topic() AS topic, traceid() AS traceid FROM '${SMOKE_TOPICS}+/trace'`,
  error: `SELECT 'error' AS kind, topic() AS topic FROM '${SMOKE_TOPICS}+/trace'`,
} as const

export interface ProbeAnswer {
  readonly question: string
  readonly seen: string
}

const WILDCARD = "Does a rule FROM '#' match $aws/...?"
const ENCODED = "What does a rule's encode() make of an empty payload?"
const TRACED = "Is traceid() there, and is a rule error's cloudwatchTraceId the same?"

export const unprobed = (why: string): ProbeAnswer[] =>
  [WILDCARD, ENCODED, TRACED].map((question) => ({ question, seen: `not told: ${why}` }))

/** @param bodies messages of the probe's queue, JSON; @param run id of the smoke run whose events count */
export function probeAnswers(bodies: readonly string[], run: string): ProbeAnswer[] {
  const events = bodies.map(parsed).filter(({ topic }) => isOf(run, topic))
  const of = (kind: string) => events.find((event) => event.kind === kind)
  const wildcard = events.filter(({ kind }) => kind === 'wildcard').length
  const [empty, trace, error] = [of('empty'), of('trace'), events.find(({ cloudwatchTraceId }) => cloudwatchTraceId !== undefined)]
  return [
    { question: WILDCARD, seen: wildcard > 0 ? `yes: ${wildcard} connected events came` : 'no: not one connected event came' },
    {
      question: ENCODED,
      seen: empty === undefined ? 'no event came' : 'payload' in empty ? JSON.stringify(empty.payload) : 'it is missing',
    },
    { question: TRACED, seen: traced(trace?.traceid, error?.cloudwatchTraceId) },
  ]
}

function traced(traceid: unknown, ofError: unknown): string {
  const first = traceid === undefined ? 'no traceid() came' : `traceid() ${JSON.stringify(traceid)}`
  const second =
    ofError === undefined
      ? 'no rule error came'
      : ofError === traceid
        ? 'the rule error has the same'
        : `the rule error has ${JSON.stringify(ofError)}`
  return `${first}; ${second}`
}

const isOf = (run: string, topic: unknown): boolean =>
  typeof topic === 'string' && (topic.startsWith(`${SMOKE_TOPICS}${run}/`) || topic.startsWith(`${CONNECTED}${run}-`))

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
