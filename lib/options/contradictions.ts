/** Options that are allowed one by one, but contradict each other, the conf or the stack's region. */
import { BackendError } from '../../lambda/core/errors.ts'
import type { HookName } from '../../lambda/core/hooks.ts'
import { TABLE_NAMES } from '../../lambda/core/tables.ts'
import { existingTableNames } from '../mqtt-tables.ts'
import { hookSettings } from '../pipeline/hook-settings.ts'
import { type AppOptions, type BackendOptions, DEFAULT_STACK_NAME } from './options.ts'
import type { OwnResources } from './own-resources.ts'

type WithTables = BackendOptions & Pick<OwnResources, 'tables'>

/** What the options must fit. */
export interface Place {
  readonly hooks: readonly HookName[]
  /** Undefined if the stack has no fixed region. */
  readonly region: string | undefined
}

/** @throws BackendError `option`: one line that says what to change */
export function refuseContradictions(options: WithTables, place: Place): void {
  const [first] = [
    ...ofExistingTables(options),
    ...ofProvisioned(options),
    ...ofBudget(options),
    ...regions(options, place),
    ...ofOtherHooks(options, place),
    ...ofBacklog(options, place),
    ...batches(options, place),
  ]
  if (first !== undefined) throw new BackendError('option', first)
}

/** Options about tables that the stack makes, although it makes none. keyArn is not one: functions need the key of existing tables too. */
function ofExistingTables(options: WithTables): string[] {
  if (existingTableNames(options).length < TABLE_NAMES.length) return []
  const given = options.tables === undefined ? 'existingTables' : 'tables'
  return (['billing', 'maxUnits', 'retention', 'ttl'] as const)
    .filter((name) => options[name] !== undefined)
    .map((name) => `option ${name} is for tables that the stack makes, and with ${given} it makes none: wanted one of the two`)
}

const ofProvisioned = ({ billing = 'on-demand', maxUnits }: BackendOptions): string[] =>
  maxUnits === undefined || billing === 'on-demand'
    ? []
    : [`option maxUnits is for on-demand tables, and billing is ${billing}, which is a maximum itself; wanted one of the two`]

const ofBudget = ({ monthlyBudget, alarmEmail }: BackendOptions): string[] =>
  monthlyBudget === undefined || alarmEmail !== undefined
    ? []
    : [`option monthlyBudget is ${monthlyBudget} without alarmEmail, so nobody would be told; wanted both`]

/**
 * The app does not know which tables other stacks have. But without a prefix the names are those of a stack without options.
 * @throws BackendError `option` with what to add
 */
export function refuseSharedTables(options: AppOptions): void {
  const { stackName = DEFAULT_STACK_NAME, prefix } = options
  if (stackName === DEFAULT_STACK_NAME || prefix !== undefined || existingTableNames(options).length === TABLE_NAMES.length) return
  const got = `option stackName is ${stackName} without prefix: its tables would have the names of those of ${DEFAULT_STACK_NAME}`
  throw new BackendError('option', `${got}, wanted a prefix (prefix= if there is no such stack) or existingTables`)
}

/** `<id>-ats.iot.<region>.amazonaws.com`. Any other host name tells no region. */
const AWS_ENDPOINT = /\.iot\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?(?:[:/]|$)/
const regionOfArn = (arn: string | undefined) => arn?.split(':')[3]
const regionOfHost = (host: string | undefined) => AWS_ENDPOINT.exec(host ?? '')?.[1]

const regions = ({ keyArn, alarmTopicArn, dataEndpoint }: BackendOptions, { region }: Place): string[] =>
  Object.entries({
    keyArn: regionOfArn(keyArn),
    alarmTopicArn: regionOfArn(alarmTopicArn),
    dataEndpoint: regionOfHost(dataEndpoint),
  }).flatMap(([name, its]) => {
    return its === undefined || region === undefined || its === region
      ? []
      : [`option ${name} is in ${its}, wanted one in ${region}, the stack's region (backend.dynamo.region of the conf)`]
  })

const ofOtherHooks = (options: BackendOptions, { hooks }: Place): string[] =>
  (['memory', 'timeout', 'concurrency', 'batchSize', 'batchWindow'] as const).flatMap((name) => {
    const value = options[name]
    const others = typeof value === 'object' ? Object.keys(value).filter((hook) => !hooks.includes(hook as HookName)) : []
    return others.map((hook) => `option ${name} names ${hook}, for which the conf has no row; wanted one of ${hooks.join(', ')}`)
  })

/** Only a publish on a queue measures the queue. */
const ofBacklog = (options: BackendOptions, { hooks }: Place): string[] =>
  (['alarmQueueDepth', 'alarmQueueAge'] as const)
    .filter((name) => options[name] !== undefined && !hooks.includes('message.publish'))
    .map((name) => `option ${name} is given, and the conf has no row of message.publish, which measures it; wanted both or none`)

/** Lambda developer guide, "Creating an SQS event source mapping": a batch of more than 10 needs a window of at least a second. */
const batches = (options: BackendOptions, { hooks }: Place): string[] =>
  hooks
    .map((hook) => ({ hook, ...hookSettings(hook, options) }))
    .filter(({ batchSize, batchWindowSeconds }) => batchSize > 10 && batchWindowSeconds === 0)
    .map(
      ({ hook, batchSize }) =>
        `option batchSize is ${batchSize} for ${hook}, which needs a batchWindow of at least 1; wanted that, or at most 10`,
    )
