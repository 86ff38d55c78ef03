/** Bills of EMQX itself, with the DynamoDB units that its plugin uses. */
import { type Bill, billOf, component } from './bill.ts'
import { MONTH_MINUTES, type Workload } from './costs-workload.ts'
import { FULL, isFull, originalUnits } from './emqx-pattern.ts'
import { tables } from './platform.ts'
import { EMQX_DEDICATED } from './prices.ts'

const SELF = 'EMQX Enterprise'
const DEDICATED = 'EMQX Dedicated'
const HOURS = MONTH_MINUTES / 60
const GIGABYTE = 1024 ** 3

/** EMQX Enterprise on the user's own nodes. Undefined unless the user gives a price: EMQX publishes none. */
export function emqx(workload: Workload): Bill | undefined {
  if (workload.emqx === undefined) return undefined
  if (isFull(workload)) return billOf(SELF, FULL, [])
  const { nodes, nodeMonthly } = workload.emqx
  const priced = component('EMQX Enterprise nodes', nodes, nodeMonthly)
  return billOf(SELF, 'the nodes at the price you gave, and the DynamoDB of its plugin', [
    priced,
    ...tables(originalUnits(workload), workload),
  ])
}

/** The smallest tier that has room for the clients, and for the month's messages if they come evenly. */
export function emqxDedicated(workload: Workload): Bill {
  if (isFull(workload)) return billOf(DEDICATED, FULL, [])
  const { publishes, subscribers, offline, clients, payload, topic } = workload
  const delivered = publishes * subscribers * (1 - offline)
  const perSecond = (publishes + delivered) / (MONTH_MINUTES * 60)
  const tier = EMQX_DEDICATED.tiers.find((each) => clients <= each.sessions && perSecond <= each.perSecond)
  if (tier === undefined) return billOf(DEDICATED, 'cannot: no list price for so many clients or messages', [])
  const gigabytes = Math.max(0, (delivered * (payload + topic)) / GIGABYTE - EMQX_DEDICATED.freeGigabytes)
  const size = `${tier.sessions.toLocaleString('en-US')} sessions`
  return billOf(DEDICATED, `managed by EMQ, list price of ${size}, one cluster; and the DynamoDB of EMQX's pattern`, [
    component('EMQX Dedicated, hours', HOURS, tier.hour),
    component('EMQX Dedicated traffic, GB', gigabytes, EMQX_DEDICATED.gigabyte),
    ...tables(originalUnits(workload), workload),
  ])
}
