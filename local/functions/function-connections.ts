/** The template's functions, each connected to its queue, with the environment that the template gives it. */

import type { Queue } from '../sqs/queue.ts'
import type { Template, TemplateFunction, TemplateSource } from '../template/template.ts'
import { EventSource } from './event-source.ts'
import { LocalFunction } from './local-function.ts'
import type { FunctionMetrics } from './metrics.ts'

/** `info` is what handlers log of their normal work. */
export type Log = (level: 'info' | 'warn', line: string) => void

interface FunctionParts {
  readonly queues: readonly Queue[]
  readonly dataUrl: string
  readonly dynamodbUrl: string
  readonly log: Log
  /** Reads the metrics among the lines that functions print. */
  readonly metrics: FunctionMetrics
  readonly onClose: (closer: () => unknown) => void
}

/** From now on each queue's messages go to its function. */
export function connectFunctions(
  template: Template,
  { queues, dataUrl, dynamodbUrl, log, metrics, onClose }: FunctionParts,
): LocalFunction[] {
  return template.sources(dataUrl).map((source) => {
    const environment = environmentOf(source.function, template.region, { dynamodbUrl, sqsUrl: dataUrl })
    const printed = (line: string) => {
      metrics.read(line)
      log(levelOf(line), line)
    }
    const target = new LocalFunction({ ...source.function, environment, log: printed })
    onClose(() => target.kill())
    const queue = queues.find(({ options }) => options.arn === source.queue)
    if (queue) onClose(connect(queue, target, source, log))
    return target
  })
}

function connect(queue: Queue, target: LocalFunction, source: TemplateSource, log: Log): () => void {
  const eventSource = new EventSource(queue, target, { ...source, warn: (text) => log('warn', text) })
  queue.onVisible = () => eventSource.wake()
  eventSource.wake() // for messages that came before
  return () => eventSource.close()
}

interface Services {
  readonly dynamodbUrl: string
  readonly sqsUrl: string
}

/** What the template gives, what Lambda itself sets, and where DynamoDB and SQS are. */
const environmentOf = (
  { name, code, memoryMegabytes, environment }: TemplateFunction,
  region: string,
  { dynamodbUrl, sqsUrl }: Services,
) => ({
  ...environment,
  AWS_REGION: region,
  AWS_LAMBDA_FUNCTION_NAME: name,
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: `${memoryMegabytes}`,
  LAMBDA_TASK_ROOT: code,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL_DYNAMODB: dynamodbUrl,
  AWS_ENDPOINT_URL_SQS: sqsUrl,
})

/** Handlers log JSON lines with a level. Any other line is `info`, shown with --verbose only. */
function levelOf(line: string): 'info' | 'warn' {
  try {
    const { level } = JSON.parse(line) as { level?: unknown }
    return /^(warn|error|fatal)/i.test(String(level)) ? 'warn' : 'info'
  } catch {
    return 'info'
  }
}
