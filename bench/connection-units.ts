import { onDynamoDbLocal, type Room, type Spent } from './capacity.ts'
import { beside, type Figure } from './report.ts'

const CLIENTS = 8

/** Units and requests of a client's coming and going, both hooks that hear of a connect, each on its second connection. */
export const connectionUnits = onDynamoDbLocal(async (ground) => {
  const ours = await ground.room()
  const theirs = await ground.room()
  const sessions = await visits(ours, 's1', 0)
  const again = await visits(ours, 's2', 1)
  if (Object.keys(sessions).join() !== Object.keys(again).join()) throw new Error('the second visit had other steps than the first')
  const client = (i: number) => `client-${i}`
  const each = (work: (clientid: string) => Promise<void>) =>
    theirs.spent(async () => {
      for (let i = 0; i < CLIENTS; i++) await work(client(i))
    }, CLIENTS)
  const connected = await each((clientid) => theirs.original.connected(clientid))
  const disconnected = await each((clientid) => theirs.original.disconnected(clientid))
  return [
    ...figuresOf('a connect', again.connected, connected),
    ...figuresOf('a disconnect, no subscription', again.disconnected, disconnected),
    ...figuresOf('a SUBSCRIBE to an exact topic, nothing queued', again.subscribed),
    ...figuresOf('a disconnect, one exact subscription', again.ended, disconnected),
  ]
})

interface Visit {
  readonly connected: Spent
  readonly disconnected: Spent
  readonly subscribed: Spent
  readonly ended: Spent
}

async function visits({ world, spent }: Room, session: string, version: number): Promise<Visit> {
  const all = (group: string, work: (clientid: string) => Promise<void>) =>
    spent(async () => {
      for (let i = 0; i < CLIENTS; i++) await work(`${group}-${i}`)
    }, CLIENTS)
  const connect = (clientid: string) => world.connect(clientid, session, version)
  const disconnect = (clientid: string) => world.disconnect(clientid, session, version)
  const connected = await all('quiet', connect)
  const disconnected = await all('quiet', disconnect)
  await all('listening', connect)
  const subscribed = await all('listening', (clientid) => world.subscribe(clientid, session, `bench/${clientid}`))
  await checkState(world, ['1', '0'])
  const ended = await all('listening', disconnect)
  await checkState(world, ['0', '0'])
  if ((await world.live()).length > 0 || (await world.scan('mqtt_sub')).length > 0) throw new Error('subscriptions left after all had gone')
  world.wait(60_000)
  return { connected, disconnected, subscribed, ended }
}

async function checkState(world: Room['world'], wanted: readonly [listening: string, quiet: string]): Promise<void> {
  for (const [i, group] of (['listening', 'quiet'] as const).entries()) {
    const state = (await world.row('mqtt_client', `${group}-0`))?.connect_state?.N
    if (state !== wanted[i]) throw new Error(`connect_state of a ${group} client is ${state}, wanted ${wanted[i]}`)
  }
}

function figuresOf(what: string, ours: Spent, theirs?: Spent): Figure[] {
  const compared = (kind: keyof Spent) =>
    theirs === undefined || theirs[kind] === 0 ? { value: ours[kind], unit: '' } : beside("EMQX's pattern", theirs[kind], ours[kind])
  return [
    { name: `write units of ${what}`, ...compared('writes') },
    { name: `read units of ${what}`, ...compared('reads') },
    { name: `requests of ${what}`, ...compared('requests') },
  ]
}
