/** Requests to the data plane that are sent again within the invocation: another try of the event would come after its visibility timeout. */
import type { Clock } from '../core/model/ports.ts'

const ATTEMPTS = 3
/** Milliseconds before the second attempt; four times as long before the third. */
const FIRST_PAUSE = 50

/** Told of each attempt that is followed by another. */
export type OnRepeat = (call: string, error: unknown) => void

export interface Repeatable<T> {
  readonly call: string
  send(): Promise<T>
  /** Whether another attempt does no harm and may go better. */
  again(error: unknown): boolean
}

export async function repeated<T>({ call, send, again }: Repeatable<T>, clock: Clock, onRepeat: OnRepeat): Promise<T> {
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
