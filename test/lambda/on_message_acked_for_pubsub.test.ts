/** message.acked, on topics kept for many: an acknowledgement on the ack topic moves the read position of its client only. */
import { createTables, forEachEngine } from '../support/engines.ts'
import { PAGE_ROWS, type Row, World } from '../support/world.ts'

const MANY: readonly Row[] = [
  ...PAGE_ROWS,
  { hook: 'session.subscribed', topic: '#', action: 'on_message_fetch_for_pubsub' },
  { hook: 'message.acked', topic: '#', action: 'on_message_acked_for_pubsub' },
]

forEachEngine((engine) => {
  let world: World
  beforeEach(async () => {
    world = new World(engine, await createTables(engine), { rows: MANY, expiredAfter: 86_400 })
  })
  const publish = (payload: string) => world.publish('t', payload)
  const got = (c: string) => world.device(c).got
  const session = new Map<string, number>()
  beforeEach(() => session.clear())
  const come = async (c: string, filter = 'durable/t') => {
    const n = (session.get(c) ?? 0) + 1
    session.set(c, n)
    await world.connect(c, `${c}${n}`, n)
    await world.subscribe(c, `${c}${n}`, filter)
    world.wait(2_000)
  }
  const go = (c: string) => world.disconnect(c, `${c}${session.get(c)}`, session.get(c))

  it('an acknowledgement on the ack topic moves the position of its client only', async () => {
    await come('n', 't')
    await come('c')
    await publish('m0')
    const [msgid] = (await world.queue()).named
    world.wait(2_000)
    await world.handle('message.acked', world.ackEvent('n', { msgid }))
    await go('n')
    await come('n', 't')
    expect(got('n')).toEqual([])
    expect(got('c')).toEqual(['m0'])
  })

  it('refuses an acknowledgement of who does not subscribe', async () => {
    await publish('m0')
    const [msgid] = (await world.queue()).named
    await world.invoke('message.acked', world.ackEvent('x', { msgid }))
    expect(world.logs.at(-1)).toContain('not a subscriber of topic')
  })
})
