/** The IoT data plane over HTTP, as the real SDK client speaks to it; on the same port SQS, and the local run's own operations. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { urlOf } from '../address.ts'
import { foreignRequest } from '../foreign-request.ts'
import { SqsError } from '../sqs/sqs-error.ts'
import { answerSqs, isSqs } from '../sqs/sqs-http.ts'
import type { SqsOperations } from '../sqs/sqs-operations.ts'
import { DataPlaneError } from './data-plane-error.ts'
import type { DataPlaneOperations } from './data-plane-operations.ts'
import { type HttpRequest, readRequest } from './http-request.ts'
import type { LocalOperations } from './local-operations.ts'

export interface DataPlaneOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly iot: DataPlaneOperations
  readonly local: LocalOperations
  readonly sqs: SqsOperations
  readonly warn: (text: string) => void
}

export interface DataPlane {
  /** `http://host:port` */
  readonly url: string
  close(): Promise<void>
}

type Answer = object | Promise<object>

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** `*` is one segment, a final `**` all that follow: AWS's own documentation writes topics with plain slashes. */
  readonly path: readonly string[]
  readonly run: (request: HttpRequest, label: string) => Answer
}

const routesOf = ({ iot, local }: DataPlaneOptions): Route[] => [
  { method: 'POST', path: ['topics', '**'], run: (request, topic) => iot.publish(request, topic) },
  { method: 'POST', path: ['connections', '*', 'messages'], run: (request, id) => iot.sendDirectMessage(request, id) },
  { method: 'GET', path: ['connections', '*', 'subscriptions'], run: (request, id) => iot.listSubscriptions(request, id) },
  { method: 'GET', path: ['connections', '*'], run: (request, id) => iot.getConnection(request, id) },
  { method: 'DELETE', path: ['connections', '*'], run: (request, id) => iot.deleteConnection(request, id) },
  { method: 'GET', path: ['retainedMessage'], run: (request) => iot.listRetainedMessages(request) },
  { method: 'GET', path: ['retainedMessage', '**'], run: (request, topic) => iot.getRetainedMessage(request, topic) },
  { method: 'GET', path: ['local', 'health'], run: () => local.health() },
  { method: 'GET', path: ['local', 'conf'], run: () => local.conf() },
  { method: 'GET', path: ['local', 'connections'], run: () => local.connections() },
  { method: 'GET', path: ['local', 'queues'], run: () => local.queues() },
  { method: 'GET', path: ['local', 'functions'], run: () => local.functions() },
  { method: 'POST', path: ['local', 'functions', '*', 'kill'], run: (_, name) => local.kill(name) },
  { method: 'GET', path: ['local', 'metrics'], run: () => local.metrics() },
  { method: 'GET', path: ['local', 'misbehaviour'], run: () => local.misbehaviour() },
  { method: 'POST', path: ['local', 'events'], run: (request) => local.events(request) },
]

/** Rejects with the system's error (`EADDRINUSE`) where the port is taken. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const routes = routesOf(options)
  const server = createServer((message, response) => {
    answer(routes, options, { message, response }).then(
      (body) => reply(response, 200, body),
      (error) => replyError(response, error, options.warn),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return { url: urlOf('http', options.host, (server.address() as { port: number }).port), close: () => close(server) }
}

async function answer(
  routes: readonly Route[],
  { host, sqs }: DataPlaneOptions,
  { message, response }: { message: IncomingMessage; response: ServerResponse },
): Promise<object> {
  const refusal = foreignRequest(message, host)
  if (refusal !== undefined) throw new DataPlaneError('ForbiddenException', refusal)
  if (isSqs(message)) return await answerSqs(sqs, { message, response, origin: `http://${message.headers.host}` })
  return await dispatch(routes, await readRequest(message))
}

function dispatch(routes: readonly Route[], request: HttpRequest): Answer {
  const matching = routes.filter(({ path }) => labelOf(path, request.path) !== undefined)
  const route = matching.find(({ method }) => method === request.method)
  if (route) return route.run(request, labelOf(route.path, request.path)!)
  const path = `/${request.path.map(encodeURIComponent).join('/')}`
  if (matching.length === 0) throw new DataPlaneError('ResourceNotFoundException', `nothing at ${path}`)
  const wanted = matching.map(({ method }) => method).join(' or ')
  throw new DataPlaneError('MethodNotAllowedException', `${request.method} ${path}, wanted ${wanted}`)
}

/** What the route's wildcard stands for, '' for none; undefined where the path is another. */
function labelOf(pattern: readonly string[], path: readonly string[]): string | undefined {
  const rest = pattern.at(-1) === '**'
  if (rest ? path.length < pattern.length : path.length !== pattern.length) return undefined
  if (!pattern.every((segment, i) => segment.startsWith('*') || segment === path[i])) return undefined
  if (rest) return path.slice(pattern.length - 1).join('/')
  return pattern.includes('*') ? path[pattern.indexOf('*')] : ''
}

function reply(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

function replyError(response: ServerResponse, error: Error, warn: (text: string) => void): void {
  const known = isKnown(error) ? error : new DataPlaneError('InternalFailureException', 'an unexpected error, see the log')
  if (known !== error) warn(`data plane: ${error.stack}`)
  if (known instanceof SqsError) reply(response, known.status, known.body)
  else reply(response, known.status, { message: known.message }, { 'x-amzn-errortype': known.type })
}

const isKnown = (error: Error): error is DataPlaneError | SqsError => error instanceof DataPlaneError || error instanceof SqsError

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
