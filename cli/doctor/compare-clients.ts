/** Presence and subscriptions of some clients, compared with what IoT Core says. */
import type { Finding } from '../operate/finding.ts'
import type { OpenTables } from '../operate/operator-tables.ts'
import { type ClientRow, clientsPage } from '../operate/table-reads.ts'

/** The clients of the first page: one read, in no order. */
export async function compareClients(tables: OpenTables, most: number): Promise<Finding[]> {
  const { rows } = await clientsPage(tables, undefined, most)
  const found = (await Promise.all(rows.map((row) => compare(tables, row)))).flat()
  const same = rows.length - new Set(found.map(({ what }) => what.split(':')[0])).size
  return [
    ...found,
    { state: 'good', what: `${same} of ${rows.length} clients that were looked at: presence and subscriptions are IoT Core's` },
  ]
}

async function compare({ ports }: OpenTables, { clientid, online }: ClientRow): Promise<Finding[]> {
  const name = `client ${JSON.stringify(clientid)}`
  const connection = await ports.device.connection(clientid)
  if (connection === undefined)
    return [
      { state: 'open', what: `${name}: IoT Core does not say whether it is connected`, todo: 'iot:GetConnection, or again in a second' },
    ]
  const presence: Finding[] =
    connection.connected === online
      ? []
      : [
          {
            state: 'look',
            what: `${name}: the table says ${online ? 'online' : 'offline'}, IoT Core says ${connection.connected ? 'connected' : 'not connected'}`,
            todo: 'it came or went just now, or its event waits or failed: status, dead-letters list',
          },
        ]
  return connection.connected ? [...presence, ...(await subscriptions(ports, clientid, name))] : presence
}

async function subscriptions(
  { clock, device, subscriptions: table }: OpenTables['ports'],
  clientid: string,
  name: string,
): Promise<Finding[]> {
  const granted = await device.subscriptions(clientid, { notBefore: clock.now() })
  if (granted === undefined) return []
  const rows = new Set((await table.of(clientid)).map(({ topic }) => topic))
  const lacks = [...granted.known.keys()].filter((filter) => !rows.has(filter))
  return lacks.map((filter) => ({
    state: 'look',
    what: `${name}: IoT Core has its subscription to ${JSON.stringify(filter)}, mqtt_sub does not`,
    todo: 'the conf has no row of session.subscribed for it, or its event waits or failed: status, dead-letters list',
  }))
}
