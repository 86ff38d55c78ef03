/** The figures of runs on one machine, as they are committed (`bench/results.json`) and as `--json` prints them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { BackendError } from '../lambda/core/errors.ts'
import type { Figure } from './report.ts'

const ROOT = join(import.meta.dirname, '..')
export const RESULTS_FILE = 'bench/results.json'

/** What a figure depends on; nothing that names the machine. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  /** GB. */
  readonly memory: number
  readonly node: string
}

export interface BlockResult {
  /** ISO 8601, when the block ended. */
  readonly date: string
  /** Of the code that was measured; `+` after it: with changes that were not committed. Absent outside of a clone. */
  readonly commit?: string
  readonly figures: readonly Figure[]
}

export interface Results {
  readonly machine: Machine
  readonly blocks: Readonly<Record<string, BlockResult>>
}

export function thisMachine(): Machine {
  const all = cpus()
  const cpu = all[0]?.model.replaceAll(/\s+/g, ' ').trim() || 'unknown'
  return { cpu, cores: all.length, memory: Math.round(totalmem() / 2 ** 30), node: process.version }
}

export function commitOf(directory = ROOT): string | undefined {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const head = git('rev-parse', '--short=12', 'HEAD').trim()
    // What the bench itself writes is no change of what it measured.
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', `:!${RESULTS_FILE}`, ':!docs', ':!*.md')
    return changed === '' ? head : `${head}+`
  } catch {
    return undefined
  }
}

/** @throws BackendError `bad-results` with one line: not there, not JSON, not ours */
export function readResults(file: string): Results {
  const bad = (what: string) => new BackendError('bad-results', `${file}: ${what}, wanted what npm run bench -- --json prints`)
  let read: Partial<Results>
  try {
    read = JSON.parse(readFileSync(file, 'utf8')) as Partial<Results>
  } catch (error) {
    throw bad((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : 'no JSON')
  }
  const { machine, blocks } = read ?? {}
  if (typeof machine?.cpu !== 'string' || typeof blocks !== 'object') throw bad("no 'machine' and 'blocks'")
  const broken = Object.entries(blocks).find(([, { date, figures }]) => typeof date !== 'string' || !figures?.every(isFigure))
  if (broken !== undefined) throw bad(`block '${broken[0]}' lacks its date, or a figure its name, value or unit`)
  return read as Results
}

const isFigure = ({ name, value, unit }: Figure): boolean => typeof name === 'string' && Number.isFinite(value) && typeof unit === 'string'

/**
 * The new blocks in the place of the file's, whose others stay: each has its own date. `running`: what is measured anew, by and by;
 * figures of another machine make way for it.
 * @throws BackendError `another-machine`: some would stay, and figures of two machines are not to be compared
 */
export function merged(file: string, results: Results, running: readonly string[] = Object.keys(results.blocks)): Results {
  if (!existsSync(file)) return results
  const before = readResults(file)
  const isSame = JSON.stringify(before.machine) === JSON.stringify(results.machine)
  const left = Object.keys(before.blocks).filter((name) => !running.includes(name))
  if (!isSame && left.length > 0) {
    throw new BackendError('another-machine', `${file}: ${left.join(', ')} measured on another machine, wanted a run of all blocks`)
  }
  return { machine: results.machine, blocks: { ...(isSame ? before.blocks : {}), ...results.blocks } }
}

export const asJson = (results: Results): string => `${JSON.stringify(results, null, 2)}\n`
export const saveResults = (file: string, results: Results): void => writeFileSync(file, asJson(results))
