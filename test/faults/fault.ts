/** A fault: what goes wrong at a call, and what that may leave. fault-kinds.ts has them. */
import type { Answer, Request } from './http.ts'
import type { SdkCall } from './sdk-call.ts'

export interface Happening {
  /** The invocation that calls. */
  readonly process: { readonly number: number; readonly deadline: number; die(): Promise<never> }
  readonly call: SdkCall
  readonly request: Request
  /** What would have happened, with some fields of the request changed. */
  perform(changes?: object): Promise<Answer>
}

/** What else a fault may bring about while the call waits. */
export interface Meanwhile {
  readonly clock: { now(): number; passTo(ms: number): void }
  receivedAgain(faults?: readonly Injected[]): Promise<void>
  copyHandled(): Promise<void>
  rivalHandled(name: string): Promise<void>
}

/** How a final state may differ from that of a run without faults, besides messages delivered more than once. */
export type Leave =
  /** The data plane refused: what would have been delivered stays pending. */
  | 'undelivered'
  /** A client did not acknowledge, send after send: it is no subscriber any more. */
  | 'silent'
  /** GetConnection did not tell: what would have been settled stays pending. */
  | 'unsettled'
  /** Two clients compete for the messages: either gets them. */
  | 'to either'
  /** Two receives at once: the later acknowledgement may be the older message's. */
  | 'acked late'
  /** A receive died that nobody repeats: what it had stored again is delivered once more. */
  | 'again'
  /** Another writer was there: the state is that of one after the other, in either order. */
  | 'rivalled'

export interface Fault {
  readonly name: string
  readonly family: string
  fits(call: SdkCall): boolean
  act(happening: Happening, stage: Meanwhile): Promise<Answer>
  /** The stores cannot tell it from another fault: the SDK gives the same error, or none. Only `npm run faults` has it. */
  readonly twin?: true
  /** At every fitting call from there on, as long as the process lives. */
  readonly goesOn?: true
  /** Also in every further receive of the event, until it is a dead letter. */
  readonly everyReceive?: true
  readonly leaves: readonly Leave[]
}

/** A fault and the call at which it comes. */
export interface Injected {
  readonly fault: Fault
  readonly at: number
  /** Of which receive of the event; absent: the first. */
  readonly receive?: 2
}
