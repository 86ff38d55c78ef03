/** Where the CPU of handlers and of their floor is taken: nothing else runs in this process. Plain JavaScript, started by cpu.ts. */
import { cpuCases } from './cpu-cases.ts'
import { clientsOf } from './handlers.ts'
import { type Measured, measure } from './over-floor.ts'

export interface CpuTask {
  readonly urls: { readonly dynamodb: string; readonly iot: string }
  /** Single events of each case, and how often all of it is done. */
  readonly events: number
  readonly rounds: number
}

/** One for each case, in their order; then the process ends. */
export type CpuReport = { readonly measured: Measured } | { readonly failed: string }

const { urls, events, rounds } = JSON.parse(process.argv[2]!) as CpuTask
const report = (said: CpuReport) => process.send?.(said)

async function measureAll(): Promise<void> {
  const clients = clientsOf(urls)
  for (const [i, one] of cpuCases(events).entries()) report({ measured: await measure(one, clients, `c${i}`, rounds) })
}

process.once('disconnect', () => process.exit())
measureAll()
  .catch((error: Error) => report({ failed: error.message }))
  .finally(() => process.disconnect())
