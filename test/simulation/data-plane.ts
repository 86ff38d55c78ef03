/** An IoTDataPlaneClient whose every call waits for its turn and may go wrong, on the simulated IoT Core. */
import {
  GetConnectionCommand,
  GetRetainedMessageCommand,
  type IoTDataPlaneClient,
  ListSubscriptionsCommand,
  PublishCommand,
  type PublishCommandInput,
  SendDirectMessageCommand,
  type SendDirectMessageCommandInput,
} from '@aws-sdk/client-iot-data-plane'
import type { Faults } from './faults.ts'
import type { IotCore } from './iot-core.ts'
import type { Owner, Scheduler } from './scheduler.ts'
import type { SimClient } from './sim-client.ts'

/** What a client is told at the end of a call that failed with a status, or without one. */
class CallFailed extends Error {
  readonly $metadata: { readonly httpStatusCode?: number }
  constructor(name: string, status?: number) {
    super(name)
    this.name = name
    this.$metadata = status === undefined ? {} : { httpStatusCode: status }
  }
}

const GONE = ['ResourceNotFoundException', 404] as const
const NO_PUBACK = ['GatewayTimeoutException', 504] as const
const THROTTLED = ['ThrottlingException', 429] as const

export interface Sent {
  readonly clientid: string
  readonly msgid: string
  /** A retained message, which is on no queue. */
  readonly retained: boolean
  readonly topic: string
  readonly payload: string
  /** 200, or the status or name of what went wrong. */
  readonly outcome: string
}

export interface DataPlaneWorld {
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly iotCore: IotCore
  /** A direct message begins. */
  readonly sends: (owner: Owner, message: Sending) => void
  readonly sent: (owner: Owner, sent: Sent) => void
  /** GetRetainedMessage was answered; `undefined`: there is none, `null`: it was throttled. */
  readonly told: (owner: Owner, topic: string, payload: string | undefined | null) => void
  /** A receipt begins. */
  readonly receipt: (owner: Owner, receipt: Receipt) => void
}

/** A direct message to the sender of a message, which tells who acknowledged it. */
export interface Receipt {
  readonly to: string
  readonly topic: string
  readonly correlation: string | undefined
  readonly payload: { readonly msgid: string; readonly topic: string; readonly clientid: string }
}

export function dataPlaneOf(world: DataPlaneWorld, owner: Owner): IoTDataPlaneClient {
  const { scheduler } = world
  const send = async (command: { readonly input: unknown }): Promise<object> => {
    if (isReceipt(command)) return sendReceipt(world, owner, command.input)
    if (command instanceof SendDirectMessageCommand) world.sends(owner, identityOf(command.input))
    await scheduler.turn(owner)
    if (command instanceof SendDirectMessageCommand) return sendDirectMessage(world, owner, command.input)
    if (command instanceof GetConnectionCommand) return getConnection(world, command.input.clientId!)
    if (command instanceof ListSubscriptionsCommand) return listSubscriptions(world, command.input.clientId!)
    if (command instanceof PublishCommand) return publish(world, command.input)
    if (command instanceof GetRetainedMessageCommand) return getRetainedMessage(world, owner, command.input.topic!)
    throw new Error(`${command.constructor.name} is not simulated`)
  }
  return { send } as unknown as IoTDataPlaneClient
}

/** All other direct messages say their msgid. */
const isReceipt = (command: { readonly input: unknown }): command is SendDirectMessageCommand =>
  command instanceof SendDirectMessageCommand && command.input.userProperties === undefined

async function sendReceipt(world: DataPlaneWorld, owner: Owner, input: SendDirectMessageCommandInput): Promise<object> {
  const { clientId: to = '', topic = '', correlationData: correlation } = input
  world.receipt(owner, { to, topic, correlation, payload: JSON.parse(Buffer.from(input.payload as Buffer).toString()) })
  await world.scheduler.turn(owner)
  return answered(world, owner, input, transmit(world, world.iotCore.clients.get(to), undefined))
}

export type Sending = Pick<Sent, 'clientid' | 'msgid' | 'retained'>

function identityOf(input: SendDirectMessageCommandInput): Sending {
  const properties = (JSON.parse(input.userProperties as string) as Record<string, string>[]).flatMap((one) => Object.entries(one))
  const property = (name: string) => properties.find(([key]) => key === name)?.[1]
  return { clientid: input.clientId!, msgid: property('msgid')!, retained: property('retain') === '1' }
}

async function sendDirectMessage(world: DataPlaneWorld, owner: Owner, input: SendDirectMessageCommandInput): Promise<object> {
  const message = identityOf(input)
  const payload = Buffer.from(input.payload as Buffer).toString()
  const failure = transmit(world, world.iotCore.clients.get(message.clientid), message.msgid)
  const outcome = failure === undefined ? '200' : failure.join(' ').trim()
  const { direct } = world.iotCore.clients.get(message.clientid)?.manner ?? {}
  const pubackAfter = failure === undefined && direct !== undefined ? world.scheduler.random.between(...direct) : 0
  const sent = () => world.sent(owner, { ...message, topic: input.topic!, payload, outcome })
  return answered(world, owner, input, failure, { sent, pubackAfter })
}

async function answered(
  { scheduler }: DataPlaneWorld,
  owner: Owner,
  { timeout }: SendDirectMessageCommandInput,
  failure: Failure | undefined,
  { sent = () => {}, pubackAfter = 0 } = {},
): Promise<object> {
  await scheduler.turn(owner, failure === NO_PUBACK ? timeout! * 1000 : pubackAfter)
  sent()
  if (failure === undefined) return {}
  const [name, status] = failure
  const error = new CallFailed(name, status)
  throw status === undefined ? Object.assign(error, { code: name }) : error
}

type Failure = readonly [name: string, status?: number]

/** `undefined`: the client has acknowledged it. `msgid`: absent of a receipt, which is no message of a queue. */
function transmit(
  { scheduler, faults, iotCore }: DataPlaneWorld,
  client: SimClient | undefined,
  msgid: string | undefined,
): Failure | undefined {
  const received = (by: SimClient) => void (msgid !== undefined && iotCore.received(by, msgid, 'direct'))
  if (faults.happens('send-throttled')) return THROTTLED
  const connection = client?.connection
  if (client === undefined || connection === undefined) return GONE
  if (scheduler.now - connection.since < 500 && faults.happens('not-yet-known')) return GONE
  if (connection.halfOpenSince !== undefined) return NO_PUBACK
  if (client.manner.mute) return NO_PUBACK
  if (faults.happens('puback-lost')) {
    if (scheduler.random.chance(0.5)) received(client)
    return NO_PUBACK
  }
  if (faults.happens('send-failed')) {
    const got = scheduler.random.chance(0.5)
    if (got) received(client)
    return got ? ['ECONNRESET'] : ['InternalFailureException', 500]
  }
  received(client)
  return undefined
}

/** The payload becomes one of the simulation's own, save an empty one. */
function publish({ faults, iotCore }: DataPlaneWorld, { topic, payload, retain }: PublishCommandInput): object {
  if (faults.happens('send-throttled')) throw new CallFailed(...THROTTLED)
  const empty = (payload as Buffer).length === 0
  iotCore.publish(topic!, { empty, retain: retain ? (empty ? 'clear' : 'put') : undefined })
  if (faults.happens('send-failed')) throw new CallFailed('InternalFailureException', 500)
  return {}
}

function getConnection({ faults, iotCore }: DataPlaneWorld, clientid: string): object {
  if (faults.happens('connection-unknown')) throw new CallFailed(...THROTTLED)
  const client = iotCore.clients.get(clientid)
  if (client === undefined) throw new CallFailed(...GONE)
  const { connection, keepAlive: keepAliveDuration, persistent } = client
  const common = { keepAliveDuration, cleanSession: persistent === undefined }
  return connection === undefined ? { connected: false, ...common } : { connected: true, connectedSince: connection.since, ...common }
}

function listSubscriptions({ faults, iotCore }: DataPlaneWorld, clientid: string): object {
  if (faults.happens('subscriptions-unknown')) throw new CallFailed(...THROTTLED)
  const client = iotCore.clients.get(clientid)
  const filters = client?.connection?.filters ?? client?.kept?.filters
  if (filters === undefined) throw new CallFailed(...GONE)
  return { subscriptions: [...filters].map(([topicFilter, { qos }]) => ({ topicFilter, qos })) }
}

function getRetainedMessage({ faults, iotCore, told }: DataPlaneWorld, owner: Owner, topic: string): object {
  const throttled = faults.happens('retained-throttled')
  const message = iotCore.retained.get(topic)
  told(owner, topic, throttled ? null : message?.payload)
  if (throttled) throw new CallFailed(...THROTTLED)
  if (message === undefined) throw new CallFailed(...GONE)
  const userProperties = message.asked ? { userProperties: Buffer.from(JSON.stringify([{ receipt: '1' }])) } : {}
  return { topic, payload: Buffer.from(message.payload), qos: 1, lastModifiedTime: message.at, ...userProperties }
}
