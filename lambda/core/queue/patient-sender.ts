/** Sends direct messages to one client, one at a time, and tries again while there is time. */
import type { Message } from '../model/message.ts'
import type { Context } from '../model/ports.ts'
import type { Delivered, Stands } from './operator-rows.ts'

/** Time kept for the last confirmation and the acknowledgements before the invocation ends. Milliseconds. */
const CLOSING_TIME = 8_000
/** Right after a connect the data plane may not know the client yet. Milliseconds. */
const ARRIVAL_PAUSES = [200, 400, 800]
/** Short: a PUBACK that is missing was waited for already, and a client's quota is counted by the second. */
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 8_000

export class PatientSender {
  private readonly context: Context
  private readonly clientid: string
  private readonly stands: Stands | undefined
  private arrivalPauses: readonly number[]

  /** `justArrived`: a "not connected" may only mean "not yet". `stands`: asked before each try. */
  constructor(context: Context, clientid: string, options: { justArrived: boolean; stands?: Stands | undefined }) {
    this.context = context
    this.clientid = clientid
    this.stands = options.stands
    this.arrivalPauses = options.justArrived ? ARRIVAL_PAUSES : []
  }

  isLate = (): boolean => this.context.ports.clock.now() > this.context.invocation.deadline - CLOSING_TIME

  /** Sends again after a missing PUBACK or throttling: the client may get a message twice, never not at all. `late`: the time is over. */
  async send(message: Message, options?: { retain: boolean }): Promise<Exclude<Delivered, 'unknown' | 'throttled'> | 'late'> {
    const { clock, device } = this.context.ports
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      if (this.isLate()) return 'late'
      if ((await this.stands?.()) === false) return 'ended'
      const outcome = await device.send(this.clientid, message, options)
      const [arrivalPause, ...later] = this.arrivalPauses
      if (outcome === 'gone' && arrivalPause !== undefined) {
        this.arrivalPauses = later
        await clock.sleep(arrivalPause)
      } else if (outcome === 'unknown' || outcome === 'throttled') {
        await clock.sleep(pause)
      } else {
        if (outcome === 'acked') this.arrivalPauses = []
        return outcome
      }
    }
  }
}
