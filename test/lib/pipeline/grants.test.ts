/** The grants as such; that they are what the functions do, test/lambda/role-calls.test.ts holds (I9). */

import { type HookName, hookConfigs } from '../../../lambda/core/hooks.ts'
import { grantsOf } from '../../../lib/pipeline/grants.ts'
import { PAGE_ROWS, type Row, rowsWithout } from '../../support/world.ts'

const grants = (hook: HookName, rows: readonly Row[] = PAGE_ROWS, retainIndex = true) => {
  const table = { pools: {}, rows: rows.map((row, i) => ({ label: `${i}`, pool: 'pool1', ...row })) }
  return grantsOf(hookConfigs(table).find((config) => config.hook === hook)!, { retainIndex })
}

it("on_client_connected alone: its table, its client's rows, the seats they had", () => {
  expect(grants('client.connected')).toEqual({
    tables: { mqtt_client: ['PutItem', 'UpdateItem'], mqtt_sub: ['DeleteItem', 'Query'], mqtt_topic_msg_map: ['GetItem', 'UpdateItem'] },
    retainIndex: false,
    dataPlane: [],
    requestsDelivery: false,
  })
})

it('every list is in order and says nothing twice', () => {
  for (const { hook } of PAGE_ROWS) {
    for (const operations of Object.values(grants(hook).tables)) expect(operations).toEqual([...new Set(operations)].sort())
  }
})

it('I8: no function may publish, whatever the conf', () => {
  const words = JSON.stringify(PAGE_ROWS.map(({ hook }) => grants(hook)))
  expect(words).not.toMatch(/"[^"]*Publish[^"]*"/)
})

it.each([
  ['with the index', true, ['BatchGetItem', 'Scan']],
  ['without', false, ['BatchGetItem', 'Scan']],
] as const)('mqtt_retain %s', (_name, retainIndex, operations) => {
  expect(grants('session.subscribed', PAGE_ROWS, retainIndex)).toMatchObject({ retainIndex, tables: { mqtt_retain: operations } })
})

it.each<[string, HookName, Row[]]>([
  ['nothing is acknowledged', 'message.publish', rowsWithout('on_message_acked_for_queue')],
  ['nothing is acknowledged', 'client.disconnected', rowsWithout('on_message_acked_for_queue')],
])('where %s, %s may not write mqtt_acked', (_name, hook, rows) => {
  expect(grants(hook, rows).tables.mqtt_acked).toBeUndefined()
})
