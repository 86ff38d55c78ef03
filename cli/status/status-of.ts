/** What status asks, and what is wrong in the answers. */
import type { HookName } from '../../lambda/core/hooks.ts'
import { SqsQueue } from '../dead-letters/sqs-queue.ts'
import { withQueues } from '../dead-letters/stack-queues.ts'
import { accountOf, type StackFlags } from '../operate/account.ts'
import type { Finding } from '../operate/finding.ts'
import { type LocalRunState, localRunState, runConf } from '../operate/local-run.ts'
import { withTables } from '../operate/operator-tables.ts'
import { type TableState, tableStates } from '../operate/table-state.ts'
import { awsFindings } from './aws-findings.ts'

export interface QueueState {
  readonly hook: HookName | 'rule errors'
  /** About how many events wait, and are being handled. */
  readonly waiting: number
  readonly inFlight: number
  readonly deadLetters: number
}

export interface Status {
  readonly findings: readonly Finding[]
  readonly tables: readonly TableState[]
  readonly queues: readonly QueueState[]
  /** Of a local run. */
  readonly local?: Omit<LocalRunState, 'errors' | 'queues'> & { readonly conf: string; readonly rows: number }
}

export async function statusOf(flags: StackFlags): Promise<Status> {
  const [tables, queues, more] = await Promise.all([
    withTables(flags, tableStates),
    queuesOf(flags),
    flags.aws ? accountOf(flags).then((account) => awsFindings(account, flags)) : localPart(flags.endpoint),
  ])
  const { findings, ...rest } = more
  return { findings: nothingWrong([...ofTables(tables), ...ofQueues(queues), ...findings]), tables, queues, ...rest }
}

const nothingWrong = (findings: Finding[]): Finding[] => (findings.length === 0 ? [{ state: 'good', what: 'nothing is wrong' }] : findings)

const queuesOf = ({ aws, region, stack, endpoint }: StackFlags): Promise<QueueState[]> =>
  withQueues(aws ? { region, stack } : { endpoint }, async ({ client, queues }) => {
    const counts = (url: string) => new SqsQueue(client, url).counts()
    const ofHooks = [...queues.hooks].map(async ([hook, { events, deadLetters }]): Promise<QueueState> => {
      const [now, dead] = await Promise.all([counts(events), counts(deadLetters)])
      return { hook, waiting: now.visible, inFlight: now.invisible, deadLetters: dead.visible + dead.invisible }
    })
    const { ruleErrors } = queues
    const ofRules = ruleErrors === undefined ? [] : [errorsOf(await counts(ruleErrors))]
    return [...(await Promise.all(ofHooks)), ...ofRules]
  })

const errorsOf = ({ visible, invisible }: { visible: number; invisible: number }): QueueState => ({
  hook: 'rule errors',
  waiting: 0,
  inFlight: 0,
  deadLetters: visible + invisible,
})

const ofTables = (tables: readonly TableState[]): Finding[] =>
  tables.flatMap(({ name, status }): Finding[] => {
    if (status === undefined)
      return [{ state: 'wrong', what: `table ${name} is missing`, todo: 'another --prefix or --region? Else deploy: docs/deploy.md' }]
    return status === 'ACTIVE' ? [] : [{ state: 'look', what: `table ${name} is ${status}` }]
  })

const REDRIVE = 'npx mqtt-dynamodb dead-letters list says why; then dead-letters redrive'

const ofQueues = (queues: readonly QueueState[]): Finding[] =>
  queues.flatMap(({ hook, deadLetters }): Finding[] =>
    deadLetters === 0
      ? []
      : [
          {
            state: 'wrong',
            what: hook === 'rule errors' ? `${deadLetters} rule errors` : `${deadLetters} dead letters of ${hook}`,
            todo: REDRIVE,
          },
        ],
  )

async function localPart(endpoint: string): Promise<Pick<Status, 'findings' | 'local'>> {
  const [{ errors, queues: _, ...state }, { file, table }] = await Promise.all([localRunState(endpoint), runConf(endpoint)])
  const findings = [...errors].map(
    ([what, count]): Finding => ({
      state: 'look',
      what: `${count} events failed, each at a try: ${what}`,
      todo: 'the output of the run says more',
    }),
  )
  return { findings, local: { ...state, conf: file, rows: table.rows.length } }
}
