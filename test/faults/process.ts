/** One invocation of a function as the wire sees it: its SDK calls in order, and whether it still lives. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { HookName } from '../../lambda/core/hooks.ts'
import type { Injected } from './fault.ts'
import { type SdkCall, sdkCall } from './sdk-call.ts'

export class Process {
  readonly number: number
  readonly hook: HookName
  /** Milliseconds: Lambda ends it then. */
  readonly deadline: number
  readonly calls: SdkCall[] = []
  /** What goes wrong at which of its calls. */
  readonly faults: readonly Injected[]
  alive = true
  readonly death: Promise<'died'>
  private dies: () => void = () => {}

  constructor(options: Pick<Process, 'number' | 'hook' | 'deadline' | 'faults'>) {
    this.number = options.number
    this.hook = options.hook
    this.deadline = options.deadline
    this.faults = options.faults
    this.death = new Promise((resolve) => {
      this.dies = () => resolve('died')
    })
  }

  /** From here on nothing of it happens any more. The call on which it died never ends. */
  die(): Promise<never> {
    this.alive = false
    this.dies()
    return new Promise(() => {})
  }

  begin(command: string, input: Record<string, unknown>): SdkCall {
    const call = sdkCall(this.calls.length, command, input)
    this.calls.push(call)
    return call
  }
}

/** Which process, and which of its calls, a request belongs to. */
export const processes = new AsyncLocalStorage<{ readonly process: Process; readonly call?: SdkCall }>()
