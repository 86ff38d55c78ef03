/**
 * DynamoDB's wire protocol (JSON 1.0 over HTTP): one POST per operation, named in `x-amz-target`.
 * dynalite's own server ends the process when a client goes away in the middle of a request; this one does not.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { crc32 } from 'node:zlib'
import { urlOf } from '../address.ts'
import { foreignRequest } from '../foreign-request.ts'
import { markNames, unmarkNames } from './names.ts'

/** One operation. @throws ApiError as DynamoDB would answer */
export type Operation = (request: object) => Promise<object>
export type Operations = Readonly<Record<string, Operation>>

/** An error with the status code and body that DynamoDB sends. dynalite's errors have the same shape. */
export class ApiError extends Error {
  readonly statusCode: number
  readonly body: object
  constructor(type: string, message: string, statusCode = 400) {
    super(message)
    this.statusCode = statusCode
    this.body = { __type: type, message }
  }
}

const MAX_BODY_BYTES = 16 * 1024 * 1024
/** Longer than the SDK keeps an idle connection: the client closes it, never the server in the middle of a request. */
const KEEP_ALIVE_MS = 65_000
/** Levels of JSON: 32 of attribute values (DynamoDB's quota), two of JSON for each, and those of the request around them. */
const MAX_DEPTH = 72
const GRACE_MS = 500
const CORAL = 'com.amazon.coral.service#'
const TARGET = 'DynamoDB_20120810.'

/** Reads and writes of items. Only these are limited by a table's throughput. */
const ITEM_OPERATION = /^(BatchGetItem|BatchWriteItem|DeleteItem|GetItem|PutItem|Query|Scan|UpdateItem)$/

export interface DynamoDbHttpOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly operations: Operations
  /** Asked once per item operation; true: it is refused with ProvisionedThroughputExceededException. */
  readonly throttle?: () => boolean
}

export interface DynamoDbHttp {
  readonly url: string
  /** Answers what is under way, for half a second at most. */
  close(): Promise<void>
}

/** @throws the listen error (EADDRINUSE, EACCES) */
export async function serveDynamoDb(options: DynamoDbHttpOptions): Promise<DynamoDbHttp> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    response.on('error', () => {})
    answer(request, options)
      .then((reply) => send(response, reply))
      .catch((error) => send(response, failure(error)))
  })
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  return { url: urlOf('http', options.host, port), close: () => close(server) }
}

interface Reply {
  readonly status: number
  readonly body: object
}

async function answer(request: IncomingMessage, options: DynamoDbHttpOptions): Promise<Reply> {
  const refusal = foreignRequest(request, options.host)
  if (refusal !== undefined) throw new ApiError(`${CORAL}AccessDeniedException`, refusal, 403)
  const text = await bodyOf(request)
  const target = `${request.headers['x-amz-target'] ?? ''}`
  const name = target.startsWith(TARGET) ? target.slice(TARGET.length) : ''
  const operation = Object.hasOwn(options.operations, name) ? options.operations[name] : undefined
  if (request.method !== 'POST' || !operation) throw new ApiError(`${CORAL}UnknownOperationException`, unknown(name))
  checkSigned(request)
  if (ITEM_OPERATION.test(name) && options.throttle?.()) throw throttled()
  return { status: 200, body: await operation(parse(text)) }
}

/** DynamoDB itself says nothing. An operation that only this engine lacks should not look like a misspelt one. */
const unknown = (name: string): string =>
  /^[A-Z]\w{0,60}$/.test(name) ? `the embedded DynamoDB does not have ${name}; DynamoDB Local does: start with --dynamodb local` : ''

async function bodyOf(request: IncomingMessage): Promise<string> {
  const tooLarge = () => new ApiError(`${CORAL}RequestEntityTooLargeException`, `a request of more than ${MAX_BODY_BYTES} bytes`, 413)
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parse(text: string): object {
  try {
    const request: unknown = JSON.parse(markNames(text))
    const isObject = typeof request === 'object' && request !== null && !Array.isArray(request)
    if (isObject && !isDeeper(request, MAX_DEPTH)) return request
  } catch {
    // As in DynamoDB, the answer does not say where
  }
  throw unreadable(`the body is not a JSON object of at most ${MAX_DEPTH} levels`)
}

/** A request that cannot be read: the client's fault, so SDK clients do not try again. */
export const unreadable = (message: string): ApiError => new ApiError(`${CORAL}SerializationException`, message)

/** dynalite reads a request by recursion: too many levels would end the thread. */
const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' && value !== null && (levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1)))

/** Any key, region and signature is accepted, but there must be one: a client that forgets to sign should fail here, not only in AWS. */
function checkSigned(request: IncomingMessage): void {
  const { authorization } = request.headers
  const presigned = new URLSearchParams(request.url?.split('?')[1]).has('X-Amz-Signature')
  if (!presigned && !authorization?.trim().startsWith('AWS4-')) {
    throw new ApiError(`${CORAL}MissingAuthenticationTokenException`, 'Request is missing Authentication Token')
  }
  const missing = ['Credential', 'SignedHeaders', 'Signature'].find((part) => !presigned && !authorization?.includes(`${part}=`))
  if (missing) throw new ApiError(`${CORAL}IncompleteSignatureException`, `Authorization header requires '${missing}' parameter.`)
}

const throttled = () =>
  new ApiError(
    'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    'The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.',
  )

/** Any other error is a fault of the engine: 500, which SDK clients try again. */
function failure(error: unknown): Reply {
  const { statusCode, body, message } = error as Partial<ApiError>
  if (statusCode && body) return { status: statusCode, body }
  return { status: 500, body: { __type: `${CORAL}InternalServerError`, message: message ?? 'unknown error' } }
}

function send(response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return // the client went away
  const text = unmarkNames(JSON.stringify(reply.body))
  response.writeHead(reply.status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(text),
    'x-amz-crc32': crc32(text),
    'x-amzn-requestid': randomUUID(),
    ...(reply.status === 413 || reply.status === 403 ? { connection: 'close' } : {}), // the rest of the body is not read
  })
  response.end(text)
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const impatient = setTimeout(() => server.closeAllConnections(), GRACE_MS)
    server.close(() => {
      clearTimeout(impatient)
      resolve()
    })
    server.closeIdleConnections()
  })
}
