/** Functions in a process that can be killed in the middle of what they do. Started by delivery.ts. */
import type { SqsRecord } from '../lambda/adapters/function/handler.ts'
import type { HookName } from '../lambda/core/hooks.ts'
import { clientsOf, handlersOn } from './handlers.ts'
import type { Tables } from './six-tables.ts'

export interface ProcessInput {
  readonly urls: { readonly dynamodb: string; readonly iot: string }
  readonly tables: Tables
}
export interface ProcessCall {
  readonly hook: HookName
  readonly record: SqsRecord
  /** Milliseconds until the time limit. */
  readonly remaining: number
}

process.once('disconnect', () => process.exit())
const { urls, tables } = JSON.parse(process.argv[2]!) as ProcessInput
const { deliver } = handlersOn({ clients: clientsOf(urls), tables })
process.on('message', async ({ hook, record, remaining }: ProcessCall) => {
  const failed = await deliver(hook, [record], remaining)
  process.send?.({ handled: failed.length === 0 })
})
