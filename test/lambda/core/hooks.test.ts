import { ACTIONS_OF_HOOK, HOOKS, type HookRow, hookConfigs } from '../../../lambda/core/hooks.ts'
import { PAGE_ROWS, rowsWithout } from '../../support/world.ts'

const labelled = (rows: readonly Omit<HookRow, 'label' | 'pool'>[]): HookRow[] =>
  rows.map((row, i) => ({ label: `${i}`, pool: 'pool1', ...row }))
const configs = (rows: readonly Omit<HookRow, 'label' | 'pool'>[], expiredAfter?: number) =>
  hookConfigs({ pools: {}, rows: labelled(rows), ...(expiredAfter === undefined ? {} : { expiredAfter }) })

describe('hookConfigs', () => {
  it('has one for each hook of the conf, in the order of the hooks', () => {
    expect(configs(PAGE_ROWS.toReversed()).map(({ hook }) => hook)).toEqual(HOOKS)
    expect(configs(rowsWithout('on_acked_delete')).map(({ hook }) => hook)).not.toContain('session.unsubscribed')
  })

  it('runs the actions of a hook in their order, whatever the order of the file', () => {
    for (const { hook, rows } of configs(PAGE_ROWS.toReversed())) {
      const order = ACTIONS_OF_HOOK[hook] as readonly string[]
      const ranks = rows.map(({ action }) => order.indexOf(action))
      expect(ranks).toEqual(ranks.toSorted((a, b) => a - b))
    }
  })

  it('tells every hook what it needs of the others', () => {
    const rows = [...PAGE_ROWS, { hook: 'message.publish', topic: 'h/#', action: 'on_message_store' } as const]
    for (const config of configs(rows, 60)) {
      expect(config).toMatchObject({ acked: ['#'], history: ['h/#'], settles: true, serverSubscriptions: true, expiredAfter: 60 })
      expect(config.subscribed.map(({ action }) => action)).toEqual(['on_message_fetch_for_queue', 'on_retain_lookup'])
    }
  })

  it.each([
    ['on_client_disconnected', { settles: false }],
    ['on_acked_delete', { settles: false }],
    ['on_subscribe_lookup', { serverSubscriptions: false }],
    ['on_message_acked_for_queue', { acked: [] }],
  ] as const)('without %s: %j', (action, wanted) => {
    for (const config of configs(rowsWithout(action))) expect(config).toMatchObject(wanted)
  })

  it("is plain JSON: it travels beside the function's code", () => {
    const all = configs(PAGE_ROWS, 60)
    expect(JSON.parse(JSON.stringify(all))).toEqual(all)
  })
})
