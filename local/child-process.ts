/** A child process that ends when this process ends, also when this process is killed. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ChildCommand {
  /** Program and arguments. */
  readonly command: readonly string[]
  /** A command that is run after the program was killed, to remove what it leaves behind. */
  readonly onStop?: readonly string[]
  /** Default: this process's. */
  readonly cwd?: string
  /** Gets each line of the program's standard output. */
  readonly onLine?: (line: string) => void
}

export interface Child {
  /** Resolves, with the last of what it printed, when the program has ended by itself or been stopped. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

/**
 * `cat` reads a pipe that only this process holds open: it ends when this process ends, also by SIGKILL. Then the program is killed.
 * The session is a new one (`detached`), because Ctrl-C reaches the whole foreground group.
 * The shell closes its own output, so that the end of output means that the program has ended.
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
