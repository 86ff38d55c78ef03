/** The bill of an IoT rule with a DynamoDBv2 action: it writes one row for each publish, and nothing delivers or deletes the rows. */
import { type Bill, billOf, component } from './bill.ts'
import { iotParts, natively, rowWrites, type Workload } from './costs-workload.ts'
import { connectivity, nativeMessages, tables } from './platform.ts'
import { PRICES } from './prices.ts'

export function plainRule(workload: Workload): Bill {
  const { publishes } = workload
  const ruled = publishes * iotParts(workload)
  return billOf('a rule with a DynamoDBv2 action', 'rows only: no queue, no presence, no acknowledgement', [
    connectivity(workload),
    component('IoT Core messages', nativeMessages(natively(workload)), PRICES.iotMessage),
    component('IoT rules triggered', ruled, PRICES.ruleTriggered),
    component('IoT rule actions', ruled, PRICES.ruleAction),
    ...tables({ writes: publishes * rowWrites(workload), reads: 0 }, workload),
  ])
}
