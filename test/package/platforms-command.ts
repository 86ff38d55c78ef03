/** `npm run platforms`: the package on each Node, and with each package manager. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exits, runCommand } from '../../cli/command-line/run-command.ts'
import { type Platform, platformOf } from './platform.ts'
import { Skipped, TRIALS } from './platform-trials.ts'
import { flags, NODES, type PlatformsFlags, TRIED, type TrialName } from './platforms-flags.ts'
import { type Result, tableOf } from './platforms-table.ts'
import { pack } from './tarball.ts'

const say = (line: string) => void process.stdout.write(`${line}\n`)

async function platforms({ node = [...NODES], only }: PlatformsFlags): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'größe und maß '))
  try {
    // Another user than root looks at it, too.
    chmodSync(directory, 0o755)
    const { file } = await pack(directory)
    const names = (Object.keys(TRIED) as TrialName[]).filter((name) => name === 'install' || only === undefined || only.includes(name))
    const results: Result[] = []
    for (const line of node) {
      const platform = await platformOf(line, directory)
      const app = platform.folder('app')
      chmodSync(app, 0o755)
      for (const name of names) {
        const result = await tried(name, platform, app, file)
        say(`Node ${result.version}  ${result.outcome.padEnd(7)} ${name} (${result.seconds} s) ${result.said ?? ''}`)
        results.push(result)
      }
    }
    say(`\n${new Date().toISOString().slice(0, 10)}, ${process.platform} ${process.arch}\n\n${tableOf(results)}`)
    return results.some(({ outcome }) => outcome === 'FAILED') ? 1 : 0
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function tried(trial: TrialName, platform: Platform, app: string, tarball: string): Promise<Result> {
  const began = Date.now()
  const ended = (outcome: Result['outcome'], said?: string): Result => {
    return { trial, version: platform.version, outcome, seconds: Math.round((Date.now() - began) / 1000), said }
  }
  try {
    return ended('held', (await TRIALS[trial](platform, app, tarball)) ?? undefined)
  } catch (error) {
    return ended(error instanceof Skipped ? 'skipped' : 'FAILED', (error as Error).message)
  }
}

await runCommand(flags().action(exits(platforms)), process.argv.slice(2))
