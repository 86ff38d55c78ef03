/**
 * The console's server. It refuses what a web page of another origin may send, and who does not have the token, before anything else runs.
 * The pages and the AWS clients are loaded by the first request that is let in: a start that nobody looks at does not pay for them.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { BackendError } from '../../lambda/core/errors.ts'
import { urlOf } from '../../local/address.ts'
import { foreignRequest } from '../../local/foreign-request.ts'
import type { PlaceUrls } from './place.ts'

export interface ConsoleOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Whether it may change anything. */
  readonly write: boolean
  readonly place: PlaceUrls
}

export interface OpenConsole {
  /** With the token. */
  readonly url: string
  close(): Promise<void>
}

const TOKEN_BYTES = 24
/** Of a form: a payload of IoT Core has at most 128 KB, of which each byte may be sent as three. */
const MAX_FORM_BYTES = 512 * 1024

/** @throws BackendError `listen` */
export async function openConsole(options: ConsoleOptions): Promise<OpenConsole> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const pages = pagesWhenAsked(options)
  const server = createServer((message, response) => {
    const refusal = refusalOf(message, options.host, token)
    if (refusal !== undefined) return refuse(response, refusal)
    // The pages do not know the token: their links are relative.
    message.url = message.url!.slice(token.length + 1)
    pages.listener().then(
      (listener) => listener(message, response),
      (error: Error) => refuse(response, { status: 500, why: error.message }),
    )
  })
  await listen(server, options)
  const { port } = server.address() as { port: number }
  return { url: `${urlOf('http', options.host, port)}/${token}/`, close: () => close(server, pages) }
}

interface Refusal {
  readonly status: number
  readonly why: string
}

function refusalOf(message: IncomingMessage, host: string, token: string): Refusal | undefined {
  const foreign = foreignRequest(message, host)
  if (foreign !== undefined) return { status: 403, why: foreign }
  if (!hasToken(message.url ?? '', token)) return { status: 404, why: 'nothing here: wanted the address with its token, as it was printed' }
  if (message.method === 'GET') return undefined
  if (message.headers.origin === undefined) return { status: 403, why: 'no Origin, wanted the one of the console' }
  return isShort(message) ? undefined : { status: 413, why: `wanted a form of at most ${MAX_FORM_BYTES} bytes, with its Content-Length` }
}

const isShort = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= MAX_FORM_BYTES

/** `/TOKEN/...`. It takes the same time whatever is wrong. */
function hasToken(url: string, token: string): boolean {
  const [got, wanted] = [Buffer.from(url.slice(0, token.length + 2)), Buffer.from(`/${token}/`)]
  return got.length === wanted.length && timingSafeEqual(got, wanted)
}

function refuse(response: ServerResponse, { status, why }: Refusal): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  })
  response.end(`${why}\n`)
}

function pagesWhenAsked({ place, write }: ConsoleOptions) {
  let loading: Promise<{ listener: RequestListener; close(): void }> | undefined
  return {
    async listener(): Promise<RequestListener> {
      loading ??= import('./pages.ts').then(({ pagesOf }) => pagesOf(place, { write }))
      return (await loading).listener
    },
    async close(): Promise<void> {
      const loaded = await loading?.catch(() => undefined)
      loaded?.close()
    },
  }
}

async function listen(server: Server, { host, port }: ConsoleOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch(({ code, message }: NodeJS.ErrnoException) => {
    throw new BackendError('listen', `console cannot listen on port ${port}: ${code === 'EADDRINUSE' ? 'the port is in use' : message}`)
  })
}

async function close(server: Server, pages: { close(): Promise<void> }): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
  await pages.close()
}
