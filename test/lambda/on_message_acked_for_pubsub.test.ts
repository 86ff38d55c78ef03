/** message.acked, on topics kept for many: an acknowledgement on the ack topic moves the read position of its client only. */
import { millisOfMsgid } from '../../lambda/core/msgid.ts'
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

  const seen = async (c: string) => (await world.row('mqtt_acked', 't', c))?.seen?.SS ?? []
  const ids = async () => (await world.scan('mqtt_msg')).map(({ msgid }) => msgid!.S!).sort((a, b) => millisOfMsgid(a) - millisOfMsgid(b))
  /** One a second, as IoT Core delivers them to a native subscriber. */
  const many = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await publish(`m${i}`)
      world.wait(1_000)
    }
    return ids()
  }

  it('a native subscriber that stays for long leaves full segments behind: its row does not grow', async () => {
    await come('n', 't')
    for (const msgid of await many(200)) await world.handle('message.acked', world.ackEvent('n', { msgid }))
    expect((await seen('n')).length).toBeLessThan(50)
    await go('n')
    await come('n', 't')
    expect(got('n')).toEqual([])
  })

  it('one that leaves out a message has a row that stops growing, and gets all of it again with its next SUBSCRIBE (I11)', async () => {
    // At QoS 0, so that no native delivery is inferred.
    world.device('n').granted = new Map([['t', 0]])
    await come('n', 't')
    const [left, ...others] = await many(400)
    for (let i = 0; i < others.length; i += 19) {
      const acks = others.slice(i, i + 19).map((msgid) => ({ msgid }))
      await world.handle('message.acked', world.ackEvent('n', acks))
    }
    expect((await seen('n')).length).toBeLessThan(300)
    expect(world.logs.join('\n')).toContain('position-waits')
    await world.handle('message.acked', world.ackEvent('n', { msgid: left }))
    for (const msgid of others.slice(-20)) await world.handle('message.acked', world.ackEvent('n', { msgid }))
    expect((await seen('n')).length).toBeLessThan(200)
    const held = new Set(await seen('n'))
    await go('n')
    await come('n', 't')
    const missing = others.slice(300).filter((msgid) => !held.has(msgid))
    const again = new Set(world.device('n').messages.map(({ message }) => message.msgid))
    expect(missing.length).toBeGreaterThan(0)
    expect(missing.filter((msgid) => !again.has(msgid))).toEqual([])
  })

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
