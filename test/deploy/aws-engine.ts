/** The engine as a process on a free port of this machine, with nothing in it, and requests to it. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from '../../local/child-process.ts'
import { freePort } from '../../local/free-port.ts'
import { startTlsFront } from './tls-front.ts'

export const REGION = 'us-west-2'
export const ACCOUNT = '000000000000'
const START_MS = 30_000

export interface Engine {
  readonly url: string
  readonly port: number
  /** What the SDK and the CLI need to reach it and nothing else: the credentials are made up here. */
  readonly environment: Readonly<Record<string, string>>
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Files that go with the engine. */
  readonly directory: string
  /** A request of a service whose client is no dependency of ours. */
  request(service: string, path: string, init?: { method?: string; body?: string; headers?: Record<string, string> }): Promise<Answer>
  stop(): Promise<void>
}
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface EngineOptions {
  /** Checks signatures and permissions of every request, which are then said to come over TLS. */
  readonly strict?: boolean
  /** Gets each line that it prints, those of functions included. */
  readonly onLine?: (line: string) => void
}

/** @throws Error if it does not answer in time */
export async function startEngine(python: string, { strict = false, onLine }: EngineOptions = {}): Promise<Engine> {
  const directory = mkdtempSync(join(tmpdir(), 'deploy-try-'))
  const port = await freePort()
  const front = strict ? await startTlsFront(port) : undefined
  const url = front?.url ?? `http://127.0.0.1:${port}`
  const credentials = { accessKeyId: randomBytes(8).toString('hex'), secretAccessKey: randomBytes(16).toString('hex') }
  const environment = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: directory,
    TMPDIR: directory,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL: url,
    // Functions get the engine's environment, and their DynamoDB client reads this variable alone.
    AWS_ENDPOINT_URL_DYNAMODB: url,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  }
  const settings = {
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: `${port}`,
    MINISTACK_REGION: REGION,
    MINISTACK_ACCOUNT_ID: ACCOUNT,
    AUTH: `${strict}`,
  }
  const assigned = Object.entries({ ...environment, ...settings }).map(([name, value]) => `${name}=${value}`)
  const child = startChild({
    command: ['env', '-i', ...assigned, 'sh', '-c', 'exec "$0" -m ministack 2>&1', python],
    cwd: directory,
    onStop: ['rm', '-rf', directory],
    ...(onLine && { onLine }),
  })
  const stop = async () => {
    await front?.close()
    await child.stop()
  }
  const request: Engine['request'] = async (service, path, { method = 'POST', body, headers } = {}) => {
    // The engine takes service, region and account from the credential's scope; it checks no signature, unless it is strict.
    const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20260101/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=none`
    const sent = { method, headers: { authorization, ...headers }, ...(body === undefined ? {} : { body }) }
    const response = await fetch(`${url}${path}`, sent)
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  await answers(url, child).catch(async (error) => {
    await stop()
    throw error
  })
  return { url, port, environment, credentials, directory, request, stop }
}

async function answers(url: string, { ended }: { readonly ended: Promise<string> }): Promise<void> {
  const until = Date.now() + START_MS
  let last: string | undefined
  void ended.then((said) => {
    last = said
  })
  while (last === undefined && Date.now() < until) {
    const up = await fetch(`${url}/_ministack/health`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (up) return
    await sleep(100)
  }
  throw new Error(`the engine does not answer at ${url}: ${last ?? `nothing after ${START_MS / 1000} s`}`)
}

/** An operation of one of the services that speak AWS's query protocol. */
export const query = (engine: Engine, service: string, Action: string, parameters: Record<string, string> = {}): Promise<Answer> => {
  const body = new URLSearchParams({ Action, Version: VERSIONS[service] ?? '', ...parameters }).toString()
  return engine.request(service, '/', { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
}
const VERSIONS: Readonly<Record<string, string>> = { cloudformation: '2010-05-15', iam: '2010-05-08' }

/** Contents of an XML answer's elements of that name. */
export const elements = ({ text }: Answer, name: string): string[] =>
  [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, content]) => content!)
