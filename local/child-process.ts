/** A child process that never outlives us, however we end. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ChildCommand {
  /** Program and arguments. */
  readonly command: readonly string[]
  /** Run (and waited for) when it is to stop: what a kill alone would leave behind. */
  readonly onStop?: readonly string[]
  /** Default: ours. */
  readonly cwd?: string
  /** Gets each line that it writes to its standard output. */
  readonly onLine?: (line: string) => void
}

export interface Child {
  /** Resolves, with the last of what it printed, when the program has ended by itself or been stopped. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

/**
 * The shell reads a pipe whose other end only we hold: it breaks even when we are killed outright. The program runs in a session
 * of its own, because Ctrl-C reaches the whole foreground group and a background job of a shell ignores it.
 * The shell closes its own output, so that the end of output means the end of the program.
 */
const WATCH = 'run=$1; shift; "$@" </dev/null & exec >/dev/null 2>&1; cat; kill -9 $!; wait $!; eval "$run"'

/** Starts a program (POSIX only). It is killed by `stop`, and when this process ends. */
export function startChild(child: ChildCommand): Child {
  const onStop = (child.onStop ?? []).map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const shell = spawn('sh', ['-c', WATCH, 'sh', onStop, ...child.command], {
    ...(child.cwd === undefined ? {} : { cwd: child.cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let tail = ''
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-2_000)
  }
  shell.stdout.on('data', keep)
  if (child.onLine) createInterface({ input: shell.stdout }).on('line', child.onLine)
  shell.stderr.on('data', keep)
  shell.stdin.on('error', () => {})
  const closed = (stream: NodeJS.ReadableStream) => new Promise((resolve) => stream.on('close', resolve))
  const ended = Promise.all([closed(shell.stdout), closed(shell.stderr)]).then(() => tail.trim())
  const exited = new Promise<void>((resolve) => {
    shell.on('exit', () => resolve())
    shell.on('error', () => resolve())
  })
  const stop = async () => {
    shell.stdin.end()
    await exited
    await ended
  }
  return { ended, stop }
}
