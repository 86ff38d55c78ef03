/** The IoT data plane: direct messages, connections, retained messages. It never publishes (I8). */
import {
  GetConnectionCommand,
  GetRetainedMessageCommand,
  type IoTDataPlaneClient,
  ListSubscriptionsCommand,
  type ListSubscriptionsCommandOutput,
  PayloadFormatIndicator,
  SendDirectMessageCommand,
  type SendDirectMessageCommandInput,
} from '@aws-sdk/client-iot-data-plane'
import type { SendOutcome } from '../core/metrics.ts'
import type { Message } from '../core/model/message.ts'
import type { Clock, Device, GrantedSubscriptions, SendOptions } from '../core/model/ports.ts'
import { isLost, isUnsent } from './connections.ts'
import { pacing } from './send-rate.ts'

/** How long a client may take to acknowledge a direct message. Seconds, 1 to 15 (SendDirectMessage, `timeout`). */
export const CONFIRMATION_TIMEOUT = 5

/**
 * What each HTTP status of SendDirectMessage means for the message. 504: no PUBACK in time, the client may have it or not.
 * 500 leaves the same doubt, but is no silence of the client. Whatever is not listed is a fault of ours or the network's, and thrown.
 */
const OUTCOME_OF_STATUS: Readonly<Record<number, SendOutcome>> = {
  400: 'unsendable',
  403: 'forbidden',
  404: 'gone',
  413: 'unsendable',
  429: 'throttled',
  500: 'unknown',
  503: 'throttled',
  504: 'silent',
}

/** An answer to a question comes in milliseconds; three attempts take no longer than a confirmation may. Milliseconds. */
const QUESTION = { requestTimeout: 2_000 }

export function device(client: IoTDataPlaneClient, clock: Clock, onRepeat: OnRepeat = () => {}): Device {
  const turnOf = pacing(clock)
  const asked = <T>(call: string, send: () => Promise<T>) => repeated({ call, send, again: isPassing }, clock, onRepeat)
  return {
    async send(clientid, message, options = {}) {
      await turnOf(clientid)
      try {
        const command = new SendDirectMessageCommand(directMessage(clientid, message, options))
        // Once a connection stands the client may have the message: then there is no second attempt.
        await repeated({ call: 'SendDirectMessage', send: () => client.send(command), again: isUnsent }, clock, onRepeat)
        return 'acked'
      } catch (error) {
        if (isLost(error)) return 'unknown'
        const outcome = OUTCOME_OF_STATUS[statusOf(error) ?? 0]
        if (outcome === undefined) throw error
        return outcome
      }
    },

    async connection(clientid) {
      try {
        const command = new GetConnectionCommand({ clientId: clientid })
        const got = await asked('GetConnection', () => client.send(command, QUESTION))
        return {
          connected: got.connected === true,
          ...(got.connectedSince === undefined ? {} : { connectedSince: got.connectedSince }),
          ...(got.keepAliveDuration === undefined ? {} : { keepAlive: got.keepAliveDuration }),
        }
      } catch (error) {
        if (statusOf(error) === 404) return { connected: false }
        // 429 (one call a second and client), 5xx, a lost connection: every caller can go on without the answer.
        return undefined
      }
    },

    subscriptions: rememberedSubscriptions(clock, async (clientid) => {
      const known = new Map<string, number>()
      let nextToken: string | undefined
      do {
        const command = new ListSubscriptionsCommand({ clientId: clientid, nextToken })
        const page: ListSubscriptionsCommandOutput | undefined = await asked('ListSubscriptions', () => client.send(command, QUESTION))
          // As above; 404: the client has gone. The pages that came before stay good.
          .catch(() => undefined)
        for (const { topicFilter = '', qos = 0 } of page?.subscriptions ?? []) known.set(topicFilter, qos)
        nextToken = page?.nextToken
      } while (nextToken !== undefined)
      return known.size === 0 ? undefined : { at: clock.now(), known }
    }),

    async retained(topic) {
      try {
        const command = new GetRetainedMessageCommand({ topic })
        const got = await asked('GetRetainedMessage', () => client.send(command, QUESTION))
        const { payload = [], qos = 1, lastModifiedTime: lastModified = 0, userProperties } = got
        return { payload: Buffer.from(payload), qos, lastModified, user: userPropertiesOf(userProperties) }
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        throw error
      }
    },
  }
}

/** Clients whose answer is remembered before all are forgotten. */
const REMEMBERED = 10_000

/** One answer serves all topics of a client: there is one call a second and client. */
function rememberedSubscriptions(
  clock: Clock,
  ask: (clientid: string) => Promise<GrantedSubscriptions | undefined>,
): Device['subscriptions'] {
  /** Client id -> the last question, from when on (ms), and its answer. */
  const asked = new Map<string, { from: number; answer: Promise<GrantedSubscriptions | undefined> }>()
  return (clientid, { notBefore }) => {
    const last = asked.get(clientid)
    // The filters of one SUBSCRIBE ask at the same time, and share one call.
    if (last !== undefined && last.from >= notBefore) return last.answer
    const question = { from: clock.now(), answer: ask(clientid) }
    if (asked.size >= REMEMBERED) asked.clear()
    asked.set(clientid, question)
    // Without an answer it is asked again.
    question.answer.then((answer) => answer === undefined && asked.get(clientid) === question && asked.delete(clientid))
    return question.answer
  }
}

function directMessage(clientId: string, message: Message, { retain, prefix = '', receipt }: SendOptions): SendDirectMessageCommandInput {
  const { user, contentType, payloadFormat, responseTopic, correlationData } = message.properties
  // A direct message cannot carry the RETAIN flag, so a property says it. Property order is kept; `msgid` tells what to acknowledge.
  const ours: [string, string][] = receipt ? [] : [['msgid', message.msgid]]
  if (prefix !== '') ours.push(['topic', message.topic])
  if (retain) ours.push(['retain', '1'])
  const all = [...user.filter(([key]) => !ours.some(([ourKey]) => key === ourKey)), ...ours]
  return {
    clientId,
    topic: `${prefix}${message.topic}`,
    confirmation: true,
    timeout: CONFIRMATION_TIMEOUT,
    payload: message.payload,
    ...(all.length === 0 ? {} : { userProperties: JSON.stringify(all.map(([key, value]) => ({ [key]: value }))) }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(payloadFormat === undefined
      ? {}
      : {
          payloadFormatIndicator:
            payloadFormat === '1' || payloadFormat === 'UTF8_DATA'
              ? PayloadFormatIndicator.UTF8_DATA
              : PayloadFormatIndicator.UNSPECIFIED_BYTES,
        }),
  }
}

/** A JSON array of one-key objects. `undefined`: not of that form. */
function userPropertiesOf(bytes: Uint8Array | undefined): [string, string][] | undefined {
  if (bytes === undefined) return []
  try {
    const properties = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>[]
    return properties.flatMap((property) => Object.entries(property).map(([key, value]): [string, string] => [key, String(value)]))
  } catch {
    return undefined
  }
}

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode

/** A quota is exceeded, for instance 500 GetRetainedMessage a second. */
export const isThrottled = (error: unknown): boolean => statusOf(error) === 429

/** A call that only reads is repeated after these errors. */
const isPassing = (error: unknown): boolean => isLost(error) || isThrottled(error) || (statusOf(error) ?? 0) >= 500

/** A request is sent again within the invocation: another try of the event would come after its visibility timeout. */
const ATTEMPTS = 3
/** Milliseconds before the second attempt; four times as long before the third. */
const FIRST_PAUSE = 50

/** Told of each attempt that is followed by another. */
export type OnRepeat = (call: string, error: unknown) => void

interface Repeatable<T> {
  readonly call: string
  send(): Promise<T>
  /** Whether another attempt does no harm and may go better. */
  again(error: unknown): boolean
}

async function repeated<T>({ call, send, again }: Repeatable<T>, clock: Clock, onRepeat: OnRepeat): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send()
    } catch (error) {
      if (attempt === ATTEMPTS || !again(error)) throw error
      onRepeat(call, error)
      await clock.sleep(FIRST_PAUSE * 4 ** (attempt - 1))
    }
  }
}
