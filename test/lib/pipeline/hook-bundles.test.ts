/** What is deployed, as Lambda loads it: its size, its priming, its credentials. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HOOKS, type HookConfig, type HookName, hookConfigs } from '../../../lambda/core/hooks.ts'
import { bundleHooks } from '../../../lib/pipeline/hook-bundles.ts'

const BUNDLES = bundleHooks(HOOKS)

/**
 * All but two load the SQS client (30 KB), to request deliveries and the next slice of one. Connects and SUBSCRIBEs deliver, from read
 * positions too; the latter settle.
 */
const LARGE: Readonly<Partial<Record<HookName, number>>> = {
  'message.publish': 325,
  'session.subscribed': 360,
  'session.unsubscribed': 320,
  'client.connected': 350,
  'session.created': 350,
}
it.each(HOOKS.map((hook) => [hook, LARGE[hook] ?? 310] as const))('%s is at most %i KB', (hook, most) => {
  expect(BUNDLES.get(hook)!.length).toBeLessThanOrEqual(most * 1_000)
})

describe('client.connected, loaded by a process of its own', () => {
  let code: string
  let server: Server
  let requests: IncomingHttpHeaders[]

  beforeAll(async () => {
    code = mkdtempSync(join(tmpdir(), 'bundle-'))
    writeFileSync(join(code, 'index.js'), BUNDLES.get('client.connected')!)
    const row = { hook: 'client.connected', label: '1', action: 'on_client_connected', pool: 'pool1' } as const
    const config: HookConfig = hookConfigs({ pools: { pool1: {} }, rows: [row] })[0]!
    writeFileSync(join(code, 'hook.json'), JSON.stringify(config))
    server = createServer((request, response) => {
      requests.push(request.headers)
      const answer = `${request.headers['x-amz-target']}`.endsWith('Query') ? { Items: [], Count: 0 } : {}
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  beforeEach(() => {
    requests = []
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
    rmSync(code, { recursive: true })
  })

  const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' }
  /** As Lambda starts a function on demand. */
  const LAMBDA = { ...CREDENTIALS, AWS_REGION: 'us-west-2', AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' }

  /** Runs `script` with `handle`, and with what requests over HTTP were `answered`: [host, status]. What it returns. */
  async function run(script: string, environment: Record<string, string | undefined> = {}): Promise<unknown> {
    const connected = { clientId: 'c', timestamp: 1, eventType: 'connected', sessionIdentifier: 's', versionNumber: 1 }
    const event = JSON.stringify({ Records: [{ messageId: 'm', body: JSON.stringify(connected) }] })
    const program = `
      const { setTimeout: wait } = require('node:timers/promises')
      const http = require('node:http')
      const { request } = http
      const answered = []
      http.request = (options, ...more) => {
        return request(options, ...more).on('response', ({ statusCode }) => answered.push([options.host, statusCode]))
      }
      process.on('unhandledRejection', () => process.exit(9))
      const { handler } = require(${JSON.stringify(join(code, 'index.js'))})
      const handle = () => handler(${event}, { getRemainingTimeInMillis: () => 30_000 })
      const main = async () => { ${script} }
      main().then((said) => { console.log(JSON.stringify(said)); process.exit(0) })`
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const env = { ...LAMBDA, LAMBDA_TASK_ROOT: code, AWS_ENDPOINT_URL_DYNAMODB: address, IOT_DATA_ENDPOINT: address, ...environment }
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { env })
    return JSON.parse(stdout.trim().split('\n').at(-1)!)
  }

  it('is primed without the network', async () => {
    await run('await wait(200); return true')
    expect(requests).toEqual([])
  })

  it('handles its first event after that, by its own requests', async () => {
    expect(await run('return handle()')).toEqual({ batchItemFailures: [] })
    expect(requests.map((headers) => headers['x-amz-target'])).toContain('DynamoDB_20120810.PutItem')
    expect(requests.map(({ host }) => host)).not.toContain('primed')
  })

  const AT_ONCE = 'await new Promise((resolve) => setImmediate(resolve)); return answered'

  it('has its priming answered before the event is asked for, and nothing waits any more', async () => {
    expect(await run(AT_ONCE)).toEqual([['primed', 200]])
    const left = 'return process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|FSReq|GetAddrInfo/.test(name))'
    expect(await run(AT_ONCE.replace('return answered', left))).toEqual([])
  })

  it('is not primed elsewhere than on Lambda', async () => {
    expect(await run(AT_ONCE, { AWS_LAMBDA_INITIALIZATION_TYPE: undefined })).toEqual([])
  })

  it('does not fail where priming or the configuration does: the first event says it', async () => {
    const script = 'await wait(50); return Promise.resolve().then(handle).then(() => "handled", ({ code }) => code)'
    expect(await run(script, { LAMBDA_TASK_ROOT: join(code, 'nowhere') })).toBe('ENOENT')
    expect(await run(script, { AWS_ACCESS_KEY_ID: '' })).toBe('handled')
  })

  it("signs with the environment's credentials, session token and all", async () => {
    await run('return handle()')
    expect(requests.length).toBeGreaterThan(0)
    for (const headers of requests) {
      expect(headers.authorization).toMatch(/Credential=key\/\d{8}\/us-west-2\/dynamodb\//)
      expect(headers['x-amz-security-token']).toBe('token')
    }
  })

  it('refuses to send anything without credentials', async () => {
    expect(await run('return handle()', { AWS_ACCESS_KEY_ID: '' })).toEqual({ batchItemFailures: [{ itemIdentifier: 'm' }] })
    expect(requests).toEqual([])
  })
})
