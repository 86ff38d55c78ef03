/** The bill of this backend. */
import { type Bill, billOf } from './bill.ts'
import { connections, rowBytes, rowWrites, type Workload } from './costs-workload.ts'
import { CONNECTION, DELIVERED, DURABLE, OPERATOR, PUBLISH, type Pushed, RETAINED, SETTLED, type Units } from './measured-units.ts'
import { platform, tables } from './platform.ts'
import { METERED, parts } from './prices.ts'

/** An invocation with so many messages or more stores them in batches (lambda/adapters/tables/mqtt_msg.ts). */
const TOGETHER = 25

export const ours = (workload: Workload): Bill =>
  billOf('this backend', 'write and read units as measured', [...platform(workload), ...tables(ourUnits(workload), workload)])

/** Every message is put, and deleted when it is delivered or settled. A row of more than 4 KB takes more read units than were measured. */
export function ourUnits(workload: Workload): Units {
  const { publishes, offline, retained, durable, operator } = workload
  const row = rowWrites(workload)
  const more = parts(rowBytes(workload), METERED.read) - 1
  const each = (count: number, { writes, reads }: Units): Units => ({ writes: count * writes, reads: count * reads })
  const of = (part: number, { connection, live, rowReads }: Pushed): Units[] => [
    each(publishes * (1 - offline) * part, { writes: live.writes + row, reads: live.reads + rowReads * more }),
    each(connections(workload) * part, connection),
  ]
  const all = [
    // In a batch each message is read once more. For rows up to 4 KB the batch saves as many reads elsewhere.
    each(publishes, { writes: PUBLISH.writes + row, reads: PUBLISH.reads + (workload.batch >= TOGETHER ? more : 0) }),
    each(publishes * retained, { writes: RETAINED.writes + 2 * row, reads: RETAINED.reads }),
    each(publishes * offline, { writes: DELIVERED.writes + row, reads: DELIVERED.reads + more }),
    ...of(1 - durable - operator, { connection: CONNECTION, live: SETTLED, rowReads: 0 }),
    ...of(durable, DURABLE),
    ...of(operator, OPERATOR),
  ]
  return all.reduce((sum, { writes, reads }) => ({ writes: sum.writes + writes, reads: sum.reads + reads }))
}
