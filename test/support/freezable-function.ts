/** A hook's function as it is deployed: its bundle in a process of its own, which can be frozen and thawed as Lambda does. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HookName, hookConfigs } from '../../lambda/core/hooks.ts'
import { hookTableIn } from '../../lib/conf/conf.ts'
import { bundleHooks } from '../../lib/pipeline/hook-bundles.ts'

const PROCESS = join(import.meta.dirname, 'function-process.cjs')
const CONF = join(import.meta.dirname, '..', '..', 'etc', 'emqx_backend_dynamo.conf')

export interface FreezableFunction {
  /** One batch of events. Ids of those that were not handled: `0`, `1` and so on. */
  handle(events: readonly object[]): Promise<string[]>
  /** Resolves when the process stands still. */
  freeze(): Promise<void>
  thaw(): void
  /** What it has printed, line by line. */
  readonly printed: readonly string[]
  close(): Promise<void>
}

/** `environment`: what the template and Lambda give, besides the path of the code. */
export async function startFunction(hook: HookName, environment: Readonly<Record<string, string>>): Promise<FreezableFunction> {
  const code = mkdtempSync(join(tmpdir(), 'freezable-'))
  const bundle = join(code, 'index.js')
  const config = hookConfigs(hookTableIn(readFileSync(CONF, 'utf8'), CONF)).find((one) => one.hook === hook)
  writeFileSync(bundle, bundleHooks([hook]).get(hook)!)
  writeFileSync(join(code, 'hook.json'), JSON.stringify(config))
  const env = { ...environment, LAMBDA_TASK_ROOT: code, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }
  const child = fork(PROCESS, [bundle], { env, execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const printed: string[] = []
  child.stdout!.setEncoding('utf8').on('data', (text: string) => printed.push(...text.split('\n').filter(Boolean)))
  return {
    printed,
    async handle(events) {
      const Records = events.map((event, i) => ({ messageId: `${i}`, body: JSON.stringify(event) }))
      child.send({ Records })
      const [{ batchItemFailures }] = (await once(child, 'message')) as [{ batchItemFailures: { itemIdentifier: string }[] }]
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
    },
    async freeze() {
      child.kill('SIGSTOP')
      while (!standsStill(child)) await sleep(5)
    },
    thaw: () => void child.kill('SIGCONT'),
    async close() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      rmSync(code, { recursive: true })
    },
  }
}

const standsStill = ({ pid }: ChildProcess): boolean =>
  execFileSync('ps', ['-o', 'state=', '-p', `${pid}`], { encoding: 'utf8' }).startsWith('T')
