/** The queues of a backend, found by their names or in the outputs of its stack. */
import { BackendError } from '../../lambda/core/errors.ts'
import { HOOKS, type HookName } from '../../lambda/core/hooks.ts'
import { type QueueRole, roleOfOutput, roleOfQueue } from './aws-names.ts'

/** URLs. */
export interface BackendQueues {
  readonly hooks: ReadonlyMap<HookName, { readonly events: string; readonly deadLetters: string }>
  readonly ruleErrors?: string
}

/** The stack's queues among those that SQS lists. @throws BackendError `no-queue` */
export function queuesListed(urls: readonly string[], stack: string): BackendQueues {
  return queuesOf(
    urls.map((url) => [roleOfQueue(url.split('/').at(-1)!, stack), url]),
    `stack ${stack}`,
  )
}

/**
 * What `cdk deploy --outputs-file FILE` wrote: stack -> output -> value.
 * @param stack default the only one of the file
 * @throws BackendError `no-queue`
 */
export function queuesInOutputs(text: string, stack?: string): BackendQueues {
  const stacks = outputsIn(text)
  const names = Object.keys(stacks)
  const name = stack ?? names[0]
  if (stack === undefined && names.length > 1) throw refusal(`the outputs are of ${names.join(', ')}, wanted one (--stack)`)
  if (name === undefined || !Object.hasOwn(stacks, name)) throw refusal(`the outputs have no stack ${name ?? 'at all'}`)
  const outputs = Object.entries(Object(stacks[name]) as object)
  const urls = outputs.flatMap(([output, value]): [QueueRole | undefined, string][] =>
    typeof value === 'string' && URL.canParse(value) ? [[roleOfOutput(output), value]] : [],
  )
  return queuesOf(urls, `the outputs of ${name}`)
}

function outputsIn(text: string): Readonly<Record<string, unknown>> {
  const wanted = refusal('the outputs are no JSON object, wanted what cdk deploy --outputs-file writes')
  try {
    const stacks: unknown = JSON.parse(text)
    if (typeof stacks === 'object' && stacks !== null && !Array.isArray(stacks)) return stacks as Record<string, unknown>
  } catch {
    throw wanted
  }
  throw wanted
}

function queuesOf(found: readonly (readonly [QueueRole | undefined, string])[], where: string): BackendQueues {
  const of = (role: QueueRole['role'], hook?: HookName): string | undefined => {
    const urls = found.filter(([one]) => one?.role === role && (one.role === 'ruleErrors' || one.hook === hook)).map(([, url]) => url)
    if (urls.length > 1) throw refusal(`${where} has two queues for ${hook ?? 'rule errors'}: ${urls.join(' and ')}`)
    return urls[0]
  }
  const pairs = HOOKS.flatMap((hook) => {
    const [events, deadLetters] = [of('events', hook), of('deadLetters', hook)]
    if (events === undefined && deadLetters === undefined) return []
    if (events === undefined || deadLetters === undefined) throw refusal(`${where} has only one of the two queues of ${hook}`)
    return [[hook, { events, deadLetters }] as const]
  })
  if (pairs.length === 0) throw refusal(`${where} has no queue of a hook`)
  const ruleErrors = of('ruleErrors')
  return { hooks: new Map(pairs), ...(ruleErrors === undefined ? {} : { ruleErrors }) }
}

const refusal = (message: string) => new BackendError('no-queue', message)
