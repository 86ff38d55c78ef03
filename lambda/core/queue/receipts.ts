/** Receipts of one delivery: they are sent beside it, and never delay or fail it. Who wants to be sure reads `acked_by` of the history. */
import type { SendOutcome } from '../metrics.ts'
import type { Message } from '../model/message.ts'
import { asksForReceipt } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import { inTurnOf } from '../promises.ts'
import type { Puback } from './acknowledge.ts'
import { CLOSING_TIME } from './patient-sender.ts'

/** Receipts on their way at once: deliveries need sockets, too. */
const AT_ONCE = 10
/** Before the one more try. Milliseconds. */
const PAUSE = 500

export class Receipts {
  private readonly context: Context
  private readonly inTurn = inTurnOf(AT_ONCE)
  private readonly onTheirWay: Promise<void>[] = []
  /** Senders that did not take a receipt: they are waited for once. */
  private readonly away = new Set<string>()

  constructor(context: Context) {
    this.context = context
  }

  /** The client has just acknowledged the message by a PUBACK. If its sender asked for a receipt, that begins its way. */
  acked(clientid: string, message: Message): Puback {
    const at = this.context.ports.clock.now()
    const asked = asksForReceipt(message)
    if (asked) {
      const receipt = receiptOf(message, { clientid, at })
      const work = this.inTurn(() => this.send(message.sender, receipt))
      work.catch(() => {})
      this.onTheirWay.push(work)
    }
    return { at, asked }
  }

  /** Waits until nothing is on its way: after its return a function stands still. What failed was logged, or is in the history. */
  async sent(): Promise<void> {
    await Promise.allSettled(this.onTheirWay)
  }

  /** Once more after an answer that may change in a moment. The sender may get it twice then. */
  private async send(sender: string, receipt: Message): Promise<void> {
    const { clock, device } = this.context.ports
    if (this.away.has(sender) || this.isLate()) return
    let outcome = await device.send(sender, receipt, { receipt: true })
    if (MAY_CHANGE.has(outcome) && !this.isLate()) {
      await clock.sleep(PAUSE)
      outcome = await device.send(sender, receipt, { receipt: true })
    }
    if (outcome === 'acked') return
    if (outcome !== 'unsendable') this.away.add(sender)
    this.context.ignored({ code: 'receipt-unsent', clientid: sender, topic: receipt.topic, why: WHY[outcome] })
  }

  /** A try takes a confirmation timeout at most. */
  private isLate(): boolean {
    const { ports, invocation } = this.context
    return ports.clock.now() > invocation.deadline - CLOSING_TIME
  }
}

const MAY_CHANGE: ReadonlySet<SendOutcome> = new Set(['silent', 'unknown', 'throttled'])

const WHY: Readonly<Record<Exclude<SendOutcome, 'acked'>, string>> = {
  gone: 'the sender is not connected',
  silent: 'the sender did not acknowledge it twice',
  unknown: 'IoT Core failed with it twice',
  throttled: 'it was refused for its rate twice',
  forbidden: 'direct message refused (403), wanted iot:Receive for the sender on its response topic',
  unsendable: 'IoT Core refused it (400 or 413)',
}

/** The receipt for a message that the client acknowledged. The same acknowledgement always makes the same bytes. `at` in milliseconds. */
function receiptOf(message: Message, { clientid, at }: { readonly clientid: string; readonly at: number }): Message {
  const { responseTopic = '', correlationData } = message.properties
  return {
    msgid: message.msgid,
    topic: responseTopic,
    sender: clientid,
    qos: 1,
    retain: 0,
    payload: Buffer.from(JSON.stringify({ msgid: message.msgid, topic: message.topic, clientid, acked_at: at })),
    arrived: Math.floor(at / 1000),
    properties: {
      user: [],
      contentType: 'application/json',
      payloadFormat: '1',
      ...(correlationData === undefined ? {} : { correlationData }),
    },
  }
}
