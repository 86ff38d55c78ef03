/** Serves the console in this process, until a signal ends it. */
import { type ConsoleOptions, openConsole } from './open-console.ts'

export interface ConsoleRun extends ConsoleOptions {
  readonly json: boolean
}

/** Resolves when the console is ready. @returns exit status @throws BackendError `listen` */
export async function runConsole({ json, ...options }: ConsoleRun): Promise<number> {
  const { url, close } = await openConsole(options)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close().then(() => process.exit(0)))
  const may = options.write ? 'it may write' : 'it only reads; --write lets it write'
  process.stdout.write(json ? `${JSON.stringify({ console: url, pid: process.pid })}\n` : `Console  ${url} (${may})\n\nCtrl-C ends it.\n`)
  return 0
}
