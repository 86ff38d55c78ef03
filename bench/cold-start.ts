/** Cold starts: each hook's deployed bundle, in a fresh process, to its first handled event. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type HookConfig, type HookName, hookConfigs } from '../lambda/core/hooks.ts'
import { DATA_ENDPOINT_VARIABLE } from '../lambda/core/tables.ts'
import { hookTableOf, parseConf } from '../lib/conf/conf.ts'
import { bundleHooks, DEFAULT_BUNDLING } from '../lib/pipeline/hook-bundles.ts'
import { startEmbedded } from '../local/dynamodb/embedded.ts'
import { clientFor, createTables } from '../test/support/engines.ts'
import { firstEvent } from './cold-start-events.ts'
import { atMost, type Block, type Figure } from './report.ts'

const PROCESS = join(import.meta.dirname, 'cold-start-process.cjs')
const CONF = join(import.meta.dirname, '..', 'etc', 'emqx_backend_dynamo.conf')
const EMPTY = 'exports.handler = async () => ({ batchItemFailures: [] })\n'

/** What is started: nothing, what CDK's NodejsFunction makes, what is deployed; and that without priming. */
const VARIANTS = ['empty', 'default', 'ours', 'unprimed'] as const
type Variant = (typeof VARIANTS)[number]
interface Taken {
  /** Milliseconds of the process's CPU until the event was handled. */
  readonly cpu: number
  /** Milliseconds from the process's start. */
  readonly handled: number
  /** Milliseconds of the first call alone. */
  readonly call: number
  /** Megabytes at the peak. */
  readonly memory: number
}

export const coldStart: Block = async ({ quick, progress }) => {
  const rounds = quick ? 2 : 9
  const configs = hookConfigs(hookTableOf(parseConf(readFileSync(CONF, 'utf8'), { file: CONF })))
  const directory = mkdtempSync(join(tmpdir(), 'cold-start-'))
  const engine = await startEmbedded({ host: '127.0.0.1', port: 0 })
  const dataPlane = await nothingRetained()
  const client = clientFor(engine.url)
  try {
    await createTables({ client }, '')
    const bytes = writeBundles(directory, configs)
    const environment = {
      // Node 24, on which the functions run, is told nothing; on older ones the warning costs milliseconds.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_DYNAMODB: engine.url,
      [DATA_ENDPOINT_VARIABLE]: `http://127.0.0.1:${(dataPlane.address() as AddressInfo).port}`,
    }
    const start = (hook: HookName, variant: Variant) => coldStartOf(hook, variant, { directory, client, environment })
    const taken = new Map(configs.map(({ hook }) => [hook, { empty: [], default: [], ours: [], unprimed: [] } as Record<Variant, Taken[]>]))
    // The engine's own first requests are slow, and somebody else's.
    for (const { hook } of configs) await start(hook, 'ours')
    for (let round = 0; round < rounds; round++) {
      for (const [hook, of] of taken) for (const variant of VARIANTS) of[variant].push(await start(hook, variant))
      progress(`round ${round + 1} of ${rounds}`)
    }
    return [...taken].flatMap(([hook, of]) => figures(hook, of, bytes[hook]!))
  } finally {
    client.destroy()
    await engine.close()
    dataPlane.close()
    rmSync(directory, { recursive: true })
  }
}

/** A directory a hook and variant, as a function's code is deployed. Bytes of what is deployed, by hook. */
function writeBundles(directory: string, configs: readonly HookConfig[]): Partial<Record<HookName, number>> {
  const hooks = configs.map(({ hook }) => hook)
  const ours = bundleHooks(hooks)
  const byDefault = bundleHooks(hooks, DEFAULT_BUNDLING)
  for (const config of configs) {
    const { hook } = config
    const bundles = { empty: EMPTY, default: byDefault.get(hook)!, ours: ours.get(hook)!, unprimed: ours.get(hook)! }
    for (const variant of VARIANTS) {
      const code = join(directory, hook, variant)
      mkdirSync(code, { recursive: true })
      writeFileSync(join(code, 'index.js'), bundles[variant])
      writeFileSync(join(code, 'hook.json'), JSON.stringify(config))
    }
  }
  return Object.fromEntries(hooks.map((hook) => [hook, ours.get(hook)!.length]))
}

interface Place {
  readonly directory: string
  readonly client: DynamoDBClient
  readonly environment: Readonly<Record<string, string>>
}

/** @throws Error if the event was not handled, or left not what it should */
async function coldStartOf(hook: HookName, variant: Variant, { directory, client, environment }: Place): Promise<Taken> {
  const { event, check } = await firstEvent(hook, client)
  const code = join(directory, hook, variant)
  const eventFile = join(code, 'event.json')
  writeFileSync(eventFile, JSON.stringify({ Records: [{ messageId: 'first', body: JSON.stringify(event) }] }))
  const lambda = { LAMBDA_TASK_ROOT: code, ...(variant === 'unprimed' ? {} : { AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' }) }
  const env = { ...environment, ...lambda }
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, join(code, 'index.js'), eventFile], { env })
  const { failures, ...taken } = JSON.parse(stdout.trim().split('\n').at(-1)!) as Taken & { failures: number }
  if (failures > 0) throw new Error(`${hook}, ${variant}: the first event failed: ${stdout}`)
  if (variant !== 'empty') await check()
  return taken
}

function figures(hook: HookName, of: Readonly<Record<Variant, readonly Taken[]>>, bytes: number): Figure[] {
  const at = (variant: Variant, what: keyof Taken) => median(of[variant].map((taken) => taken[what]))
  const ratio = (what: keyof Taken, variant: Variant = 'empty') => at('ours', what) / at(variant, what)
  const cpu = at('ours', 'cpu')
  return [
    {
      name: `cold ${hook}, CPU`,
      value: cpu,
      unit: 'ms',
      ratio: ratio('cpu'),
      against: 'an empty handler, at most 3.4 x',
      reached: ratio('cpu') <= 3.4,
    },
    {
      name: `cold ${hook}, CPU`,
      value: cpu,
      unit: 'ms',
      ratio: ratio('cpu', 'default'),
      against: 'the default CDK bundle, at most 0.8 x',
      reached: ratio('cpu', 'default') <= 0.8,
    },
    { name: `cold ${hook}, CPU`, value: cpu, unit: 'ms', ratio: ratio('cpu', 'unprimed'), against: 'without priming' },
    {
      name: `cold ${hook}, first event handled`,
      value: at('ours', 'handled'),
      unit: 'ms',
      ratio: ratio('handled'),
      against: 'an empty handler',
    },
    {
      name: `cold ${hook}, first call`,
      value: at('ours', 'call'),
      unit: 'ms',
      ratio: ratio('call', 'unprimed'),
      against: 'without priming, at most 0.5 x',
      reached: ratio('call', 'unprimed') <= 0.5,
    },
    { name: `cold ${hook}, peak memory`, value: at('ours', 'memory'), unit: 'MB', ratio: ratio('memory'), against: 'an empty handler' },
    { name: `cold ${hook}, bundle`, value: bytes / 1000, unit: 'KB', ...atMost(300, bytes / 1000) },
  ]
}

/** A data plane without retained messages or connections. */
async function nothingRetained(): Promise<Server> {
  const server = createServer((_, response) => {
    response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException', 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
