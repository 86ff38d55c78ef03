/** SQS's JSON protocol (AWS JSON 1.0) over HTTP, as the real SDK client and the AWS CLI speak it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody } from '../data-plane/http-request.ts'
import { SqsError } from './sqs-error.ts'
import { objectOf } from './sqs-fields.ts'
import type { SqsOperations } from './sqs-operations.ts'

const TARGET = 'AmazonSQS.'
/** Messages of 1 MiB, as JSON strings with every quote escaped. */
const MAX_REQUEST_BYTES = 4 * 1_048_576

const targetOf = ({ headers }: IncomingMessage): string => `${headers['x-amz-target'] ?? ''}`

export const isSqs = (message: IncomingMessage): boolean => targetOf(message).startsWith(TARGET)

/** @param origin `http://host:port`, where the queues' URLs point */
export async function answerSqs(
  operations: SqsOperations,
  { message, response, origin }: { message: IncomingMessage; response: ServerResponse; origin: string },
): Promise<object> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const name = targetOf(message).slice(TARGET.length)
  const body = await readBody(message, MAX_REQUEST_BYTES)
  const operation = message.method === 'POST' ? operations.of(name) : undefined
  if (!operation) throw new SqsError('UnsupportedOperation', `${message.method} of an operation that the local SQS does not have`)
  return await operation(objectOf(json(body)), { origin, signal: gone.signal })
}

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new SqsError('InvalidParameterValue', `the request is ${body.length} bytes that are no JSON`)
  }
}
