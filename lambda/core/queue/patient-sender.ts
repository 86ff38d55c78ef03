/** Sends direct messages to one client, one at a time, and tries again as long as anybody may wait for one client. */
import type { Message } from '../model/message.ts'
import type { Context, SendOptions } from '../model/ports.ts'
import type { Delivered, Stands } from './operator-rows.ts'

/** Time kept for the last confirmation and the acknowledgements before the invocation ends. Milliseconds. */
export const CLOSING_TIME = 8_000
/** Right after a connect the data plane may not know the client yet. Milliseconds. */
const ARRIVAL_PAUSES = [200, 400, 800]
/** Short: a PUBACK that is missing was waited for already, and a client's quota is counted by the second. */
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 8_000
/** After so many sends in a row without PUBACK no invocation waits for the client any longer: 5 s each (I15). One more for who acknowledged before. */
export const UNANSWERED = 2
/** For so long one message may be refused for its rate, or its client be unknown. Milliseconds: three confirmation timeouts. */
const PATIENCE = 15_000

/** `silent`: the last sends were not acknowledged; `unknown`: IoT Core failed with them; `late`: the time is over. */
export type Sent = Exclude<Delivered, 'throttled'> | 'late'
/** What is to be sent, asked before each try; `undefined`: nothing any more. */
export type Current = () => Promise<Message | undefined>

export class PatientSender {
  private readonly context: Context
  private readonly clientid: string
  private readonly stands: Stands | undefined
  private arrivalPauses: readonly number[]
  private unanswered = 0
  private mostUnanswered = UNANSWERED

  /** `justArrived`: a "not connected" may only mean "not yet". `stands`: asked before each try. */
  constructor(context: Context, clientid: string, options: { justArrived: boolean; stands?: Stands | undefined }) {
    this.context = context
    this.clientid = clientid
    this.stands = options.stands
    this.arrivalPauses = options.justArrived ? ARRIVAL_PAUSES : []
  }

  isLate = (): boolean => this.context.ports.clock.now() > this.context.invocation.deadline - CLOSING_TIME

  /** Sends again after a missing PUBACK or throttling: the client may get a message twice, never not at all. */
  async send(message: Message, options?: SendOptions): Promise<Sent> {
    return (await this.sendCurrent(async () => message, options)) ?? 'ended'
  }

  /** The same of what may change while it is tried. `undefined`: there is nothing to send any more. */
  async sendCurrent(current: Current, options?: SendOptions): Promise<Sent | undefined> {
    const { clock, device } = this.context.ports
    const began = clock.now()
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      if (this.isLate()) return 'late'
      if ((await this.stands?.()) === false) return 'ended'
      const message = await current()
      if (message === undefined) return undefined
      const outcome = await device.send(this.clientid, message, options)
      if (outcome === 'acked') {
        this.arrivalPauses = []
        this.unanswered = 0
        this.mostUnanswered = UNANSWERED + 1
        return outcome
      }
      const [arrivalPause, ...later] = this.arrivalPauses
      if (outcome === 'gone' && arrivalPause !== undefined) {
        this.arrivalPauses = later
        await clock.sleep(arrivalPause)
        continue
      }
      const again = outcome === 'throttled' || outcome === 'silent' || outcome === 'unknown'
      if (!again) return outcome
      if (outcome !== 'throttled' && ++this.unanswered >= this.mostUnanswered) return outcome
      if (outcome === 'throttled' && clock.now() + pause > began + PATIENCE) return 'late'
      await clock.sleep(pause)
    }
  }
}
