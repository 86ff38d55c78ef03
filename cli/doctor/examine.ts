/** The doctor's questions to the tables and to the data plane. */
import { UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb'
import { accountOf, type StackFlags } from '../operate/account.ts'
import type { Finding } from '../operate/finding.ts'
import { type OpenTables, withIotCore, withTables } from '../operate/operator-tables.ts'
import { expiries, tableStates } from '../operate/table-state.ts'
import { accountFindings } from './account-findings.ts'
import { compareClients } from './compare-clients.ts'

export interface Examination {
  /** How many clients are compared with IoT Core. */
  readonly clients: number
  /** Whether it does what is safe. */
  readonly fix: boolean
}

export async function examine(flags: StackFlags, { clients, fix }: Examination): Promise<Finding[]> {
  const [ofTables, ofClients, ofAccount] = await Promise.all([
    withTables(flags, async (tables) => [...(await missing(tables)), ...(await timeToLive(tables, fix))]),
    clients === 0 ? [] : withIotCore(flags, (tables) => compareClients(tables, clients)),
    flags.aws ? accountOf(flags).then((account) => accountFindings(account, flags)) : [],
  ])
  return [...ofTables, ...ofClients, ...ofAccount]
}

async function missing(tables: OpenTables): Promise<Finding[]> {
  const gone = (await tableStates(tables)).filter(({ status }) => status === undefined)
  if (gone.length === 0) return [{ state: 'good', what: 'all six tables are there' }]
  return gone.map(({ name }) => ({
    state: 'wrong',
    what: `table ${name} is missing`,
    todo: 'another --prefix or --region? Else deploy: docs/deploy.md',
  }))
}

/** Without it what has expired is not delivered, and is billed for ever. */
async function timeToLive(tables: OpenTables, fix: boolean): Promise<Finding[]> {
  const off = (await expiries(tables)).filter(({ on }) => !on)
  if (off.length === 0) return [{ state: 'good', what: 'expired rows are deleted (time to live is on)' }]
  return await Promise.all(
    off.map(async ({ table, attribute }): Promise<Finding> => {
      const name = tables.tables[table]
      if (!fix)
        return {
          state: 'look',
          what: `expired rows of ${name} stay: its time to live is off`,
          todo: 'doctor --fix switches it on, unless you deployed with -c ttl=false',
        }
      const TimeToLiveSpecification = { AttributeName: attribute, Enabled: true }
      await tables.dynamodb.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification }))
      return { state: 'good', what: `time to live of ${name} is on now (${attribute})` }
    }),
  )
}
