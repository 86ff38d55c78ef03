/** What only the local run answers, under `/local`: the state of its queues and functions, and events as the service would send them. */
import type { HookTable } from '../../lambda/core/hooks.ts'
import { checkTopicName } from '../../lambda/core/topic.ts'
import type { LocalFunction } from '../functions/local-function.ts'
import type { FunctionMetrics } from '../functions/metrics.ts'
import type { Broker } from '../mqtt/broker.ts'
import type { HeldMessage } from '../sqs/queue-message.ts'
import type { Queues } from '../sqs/template-queues.ts'
import { asRequestCheck, DataPlaneError } from './data-plane-error.ts'
import type { HttpRequest } from './http-request.ts'

const EVENT_PREFIX = '$aws/events/'

/** The hook table that a run has: as it was when the run began. */
export interface RunConf {
  /** Absolute path of the conf. */
  readonly file: string
  readonly table: HookTable
}

export interface LocalParts {
  /** Absent: the run was started from an assembly, which does not name its conf. */
  readonly conf?: RunConf | undefined
  readonly metrics: Pick<FunctionMetrics, 'report'>
  readonly broker: Broker
  readonly dynamodbUrl?: string
  readonly queues: Pick<Queues, 'hooks' | 'ruleErrors'>
  /** A function, because the functions start after the data plane. */
  readonly functions: () => readonly Pick<LocalFunction, 'name' | 'running' | 'kill'>[]
  /** How often each kind of misbehaviour has happened. */
  readonly misbehaved: () => Readonly<Record<string, number>>
}

export class LocalOperations {
  readonly #parts: LocalParts

  constructor(parts: LocalParts) {
    this.#parts = parts
  }

  /** And where its other ports are. */
  health(): object {
    const { broker, dynamodbUrl } = this.#parts
    return { status: 'ok', mqtt: broker.url, dynamodb: dynamodbUrl }
  }

  /** What the handlers run with, so that who steers the run need not be told, and cannot be told wrong. */
  conf(): object {
    const { conf } = this.#parts
    if (conf === undefined) throw new DataPlaneError('ResourceNotFoundException', 'the conf of this run is not known')
    return conf
  }

  connections(): object {
    return { connected: this.#parts.broker.clients.connections().length }
  }

  /** Without bodies: they hold payloads (I10). */
  queues(): object {
    return {
      queues: this.#parts.queues.hooks.map((queue) => ({
        name: queue.name,
        waiting: queue.depth - queue.inFlight,
        inFlight: queue.inFlight,
        deadLetters: queue.deadLetters.map(describe),
      })),
      ruleErrors: this.#parts.queues.ruleErrors.flatMap((queue) => queue.messages().map(describe)),
    }
  }

  functions(): object {
    return { functions: this.#parts.functions().map(({ name, running }) => ({ name, running })) }
  }

  async kill(name: string): Promise<object> {
    const functions = this.#parts.functions()
    const target = functions.find((one) => one.name === name)
    const names = functions.map((one) => one.name).join(', ')
    if (!target) throw new DataPlaneError('ResourceNotFoundException', `no function ${name}, wanted one of ${names}`)
    return { interrupted: await target.kill() }
  }

  /** By hook. They name no client, no topic and no payload. */
  metrics(): object {
    return { hooks: this.#parts.metrics.report() }
  }

  misbehaviour(): object {
    return this.#parts.misbehaved()
  }

  /** Publishes a lifecycle event as IoT Core would. Any JSON object: also one that AWS does not document. */
  events({ query, body }: HttpRequest): object {
    const topic = query.get('topic') ?? ''
    asRequestCheck(() => checkTopicName(topic))
    if (!topic.startsWith(EVENT_PREFIX))
      throw new DataPlaneError('InvalidRequestException', `topic is ${topic}, wanted one that starts with ${EVENT_PREFIX}`)
    if (!jsonObject(body.toString('utf8')))
      throw new DataPlaneError('InvalidRequestException', `the body is ${body.length} bytes, wanted a JSON object`)
    return { matched: this.#parts.broker.inject(topic, body) }
  }
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function describe({ body, deadAt, ...letter }: HeldMessage): object {
  const { topic, clientid, clientId, ruleName } = jsonObject(body) ?? {}
  const names = { topic: name(topic), clientid: name(clientid ?? clientId), ruleName: name(ruleName) }
  return { ...letter, at: deadAt, bytes: body.length, ...names }
}

/** Anything else in the place of a name may be part of a payload and is not shown (I10). */
const name = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
