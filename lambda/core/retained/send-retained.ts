/** Sends retained messages to a subscriber, by direct messages with the user property `retain` = 1. */

import { createHash } from 'node:crypto'
import { BackendError } from '../errors.ts'
import type { HookConfig } from '../hooks.ts'
import { hasExpired, type Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import type { RetainedRow } from '../model/retain-table.ts'
import { msgidOf } from '../msgid.ts'
import { operatorRowStands, type Stands } from '../queue/operator-rows.ts'
import { type Current, PatientSender, UNANSWERED } from '../queue/patient-sender.ts'
import { hasWildcard, topicMatches } from '../topic.ts'

/** Messages read at once: 128 KB each at most, so a few MB. */
const READ_AT_ONCE = 16
/** Questions to IoT Core for one event: the account has 500 a second. */
const QUESTIONS = 500

interface Subscriber {
  readonly clientid: string
  readonly filters: readonly string[]
  /** `native`: IoT Core has sent the retained messages of exact filters to it. `server`: by an operator's row. */
  readonly as: 'native' | 'server' | 'durable'
  /** What stands before the topic of a message for a durable subscription. */
  readonly prefix?: string
}

export async function sendRetained(subscriber: Subscriber, context: Context): Promise<void> {
  const { clientid, filters, as } = subscriber
  const stands = as === 'server' ? async () => operatorRowStands(context.ports, clientid, filters[0]!) : undefined
  const sender = new RetainedSender(subscriber, context, stands)
  const truth = new Truth(context)
  for (const topic of filters.filter((one) => !hasWildcard(one))) {
    const [row] = await context.ports.retained.getAll([topic])
    if (row !== undefined && !(await sender.send(() => (as === 'native' ? unlessSent(row, context) : truth.of(row))))) return
  }
  const wildcards = filters.filter(hasWildcard)
  if (wildcards.length > 0) await sendMatching(wildcards, sender, truth, context)
}

/** The message of a native exact subscription, unless IoT Core holds one, which it has sent itself, or has cleared it. */
async function unlessSent({ message, foreign }: RetainedRow, { ports, config }: Context): Promise<Message | undefined> {
  const held = await ports.device.retained(message.topic)
  return held === undefined && (foreign || !followsIotCore(message.topic, config)) ? message : undefined
}

/** Whether the topic's row is what IoT Core holds, `"retain": "native"`. */
const followsIotCore = (topic: string, { nativeRetained }: HookConfig): boolean =>
  nativeRetained.some((filter) => topicMatches(filter, topic))

/** All filters in one go, read and sent by and by. What does not fit into this invocation goes on at the next receive. */
async function sendMatching(filters: readonly string[], sender: RetainedSender, truth: Truth, context: Context): Promise<void> {
  const { retained } = context.ports
  const { id, receives } = context.invocation
  const work = `${id} ${sender.prefix}${digest(filters.join(' '))}`
  const from = receives > 1 ? await retained.leftOff(work) : undefined
  let place = from
  try {
    for await (const { topics, part, last } of retained.topicsMatching(filters, from)) {
      for (let i = 0; i < topics.length; i += READ_AT_ONCE) {
        const some = topics.slice(i, i + READ_AT_ONCE)
        const rows = new Map((await retained.getAll(some)).map((row) => [row.message.topic, row]))
        for (const topic of some) {
          const row = rows.get(topic)
          if (row !== undefined && !(await sender.send(() => truth.of(row)))) return
          place = { part, topic }
        }
      }
      place = last === undefined ? { part: part + 1, topic: '' } : { part, topic: last }
      sender.checkTime()
    }
  } catch (error) {
    if (place !== undefined && place !== from) await retained.leaveOff(work, place, context.ports.clock.now())
    throw error
  }
}

/** What IoT Core holds now: our row may be older, or cleared by a publish whose event comes later (I14). */
class Truth {
  private readonly context: Context
  private questions = QUESTIONS
  constructor(context: Context) {
    this.context = context
  }

  /** The message to send. Where IoT Core cannot be asked it is our row's. */
  async of({ message, foreign }: RetainedRow): Promise<Message | undefined> {
    const { ports, config } = this.context
    const { topic } = message
    if (this.questions === 0 || !followsIotCore(topic, config)) return message
    this.questions--
    const [asked] = await Promise.allSettled([ports.device.retained(topic)])
    if (asked.status === 'rejected') {
      this.questions = 0
      return message
    }
    const held = asked.value
    if (held === undefined) return foreign ? message : undefined
    if (held.payload.equals(message.payload)) return message
    // Not our row's id: it may be on a queue, and who acknowledges this message must not take that one off.
    const uuid = digest(`${topic}\0${held.lastModified}`)
    const { payload, qos, lastModified, user = [] } = held
    const arrived = Math.floor(lastModified / 1000)
    return { msgid: msgidOf({ at: lastModified, uuid }), topic, sender: 'n/a', qos, retain: 1, payload, arrived, properties: { user } }
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32)

class RetainedSender {
  private readonly context: Context
  private readonly clientid: string
  private readonly filters: readonly string[]
  private readonly who: string
  private readonly sender: PatientSender
  readonly prefix: string
  constructor({ clientid, filters, prefix = '' }: Subscriber, context: Context, stands: Stands | undefined) {
    this.prefix = prefix
    this.context = context
    this.clientid = clientid
    this.filters = filters
    this.who = `client '${clientid}', filter '${filters.join("', '")}'`
    this.sender = new PatientSender(context, clientid, { justArrived: true, stands })
  }

  /**
   * Whether the client is still there. Each try asks anew what is retained (I14).
   * @throws BackendError where the event must be tried again
   */
  async send(retained: Current): Promise<boolean> {
    const current = async () => {
      const message = await retained()
      return message === undefined || hasExpired(message, this.context.ports.clock.now()) ? undefined : message
    }
    const outcome = await this.sender.sendCurrent(current, { retain: true, prefix: this.prefix })
    if (outcome === 'late' || outcome === 'unknown') throw this.late()
    if (outcome === 'silent') return this.silent()
    if (outcome === 'forbidden') {
      throw new BackendError('receive-forbidden', `${this.who}: direct message refused (403), wanted iot:Receive for the client`)
    }
    return outcome !== 'gone' && outcome !== 'ended'
  }

  /** @throws BackendError if the invocation ends soon */
  checkTime(): void {
    if (this.sender.isLate()) throw this.late()
  }

  /** A silent client gets one more try, then nothing until it subscribes again. */
  private silent(): false {
    const last = this.context.invocation.receives > 1
    const next = last ? 'the rest is not sent until it subscribes again' : "tried once more at the event's next receive"
    this.context.limited({
      limit: last ? 'client-silent' : 'unanswered-sends',
      clientid: this.clientid,
      topic: this.filters.join("', '"),
      why: `got no PUBACK of ${UNANSWERED} or more retained messages in a row; ${next}`,
    })
    if (!last) throw this.late()
    return false
  }

  private late = (): BackendError =>
    new BackendError('unfinished', `${this.who}: time is up with retained messages left; continues at the next try`)
}
