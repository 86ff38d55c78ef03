/** `npm start` as a process of its own, which can be killed outright and started again on the same ports. */
import { join } from 'node:path'
import { startChild } from '../../local/child-process.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const FREE_PORTS = ['--mqtt-port', '0', '--dynamodb-port', '0', '--data-port', '0', '--console-port', '0']
/** What npm start gives it (package.json). */
const NODE = [process.execPath, '--max-semi-space-size=6', '--import', 'tsx', join(ROOT, 'bin', 'mqtt-dynamodb.ts'), 'start']
const READY = '{"mqtt":'

export interface StackUrls {
  readonly mqtt: string
  readonly dynamodb: string
  readonly data: string
}

export interface StackProcess {
  readonly urls: StackUrls
  /** SIGKILL: nothing of it gets to say goodbye. */
  kill(): Promise<void>
  /** SIGTERM. */
  terminate(): Promise<void>
}

/** Rejects with the last of what it printed where it ends before it is ready. `on`: the ports of an earlier one. */
export async function startStackProcess(flags: readonly string[], on?: StackUrls): Promise<StackProcess> {
  const ports = on === undefined ? FREE_PORTS : portFlags(on)
  let ready = (_: string) => {}
  const line = new Promise<string>((resolve) => {
    ready = resolve
  })
  const onLine = (text: string) => void (text.startsWith(READY) && ready(text))
  const child = startChild({ command: [...NODE, '--json', ...ports, ...flags], cwd: ROOT, onLine })
  const died = child.ended.then((said) => {
    throw new Error(`the local stack ended: ${lastWords(said)}`)
  })
  const { pid, ...urls } = JSON.parse(await Promise.race([line, died])) as StackUrls & { pid: number }
  died.catch(() => undefined)
  return {
    urls,
    kill: () => child.stop(),
    async terminate() {
      process.kill(pid, 'SIGTERM')
      await child.ended
      await child.stop()
    },
  }
}

/** The line that says what went wrong, out of all that a dying process prints. */
const lastWords = (said: string): string => {
  const lines = said.split('\n').filter((line) => line.trim() !== '')
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'it said nothing'
}

/** An engine that is somebody else's keeps its port: then ours is not used. */
const portFlags = ({ mqtt, dynamodb, data }: StackUrls): string[] => {
  const port = (url: string) => new URL(url).port
  return ['--mqtt-port', port(mqtt), '--dynamodb-port', port(dynamodb), '--data-port', port(data)]
}
