/** The bills side by side, as text and as JSON. */
import type { Bill } from './bill.ts'
import type { Workload } from './costs-workload.ts'
import { emqx, emqxDedicated } from './emqx.ts'
import { original } from './emqx-pattern.ts'
import { ours } from './ours.ts'
import { plainRule } from './plain-rule.ts'
import { AS_OF, REGION } from './prices.ts'

export const billsOf = (workload: Workload): Bill[] =>
  [ours(workload), original(workload), plainRule(workload), emqxDedicated(workload), emqx(workload)].filter((bill) => bill !== undefined)

export const asJson = (workload: Workload): string =>
  `${JSON.stringify({ region: REGION, asOf: AS_OF, currency: 'USD', per: 'month', workload, bills: billsOf(workload) }, null, 2)}\n`

const NO_EMQX = 'EMQX Enterprise on nodes of your own is left out: it has no public list price. Give --emqx-nodes and --emqx-node-monthly.'

export function asText(workload: Workload): string {
  const tables = billsOf(workload).map((bill) => [`${bill.name}: ${bill.note}`, ...linesOf(bill)].join('\n'))
  const foot = [`US dollars a month, list prices of ${REGION} as of ${AS_OF}.`, ...(workload.emqx === undefined ? [NO_EMQX] : [])]
  return `${[...tables, foot.join('\n')].join('\n\n')}\n`
}

function linesOf({ components, total }: Bill): string[] {
  if (components.length === 0) return []
  const used = components
    .filter(({ amount }) => amount > 0)
    .map(({ name, amount, dollars }) => [name, counted(amount), money(dollars)] as const)
  return [...used, ['total', '', money(total)] as const].map(
    ([name, amount, dollars]) => `  ${name.padEnd(28)}${amount.padStart(16)}${dollars.padStart(14)}`,
  )
}

const counted = (amount: number): string => amount.toLocaleString('en-US', { maximumFractionDigits: 0 })
const money = (dollars: number): string => dollars.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
