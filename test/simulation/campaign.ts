/** Many histories, on several processes: what was violated, and what was covered. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { Coverage, type Reached } from './coverage.ts'
import { runHistory } from './history.ts'
import { formatPlan } from './plan.ts'
import { kindOf } from './shrink.ts'

export interface Task {
  readonly seed: number
  readonly runs: number
}

export interface Finding {
  readonly violation: string
  /** Of the first history that showed it. */
  readonly plan: string
}

/** What a process says of some histories. */
export interface Part {
  readonly runs: number
  readonly findings: readonly Finding[]
  readonly reached: Reached
  /** One number for each interleaving. */
  readonly orders: readonly number[]
}

export interface Campaign {
  readonly runs: number
  readonly coverage: Coverage
  readonly interleavings: number
  /** Kind of violation -> its findings. */
  readonly findings: ReadonlyMap<string, readonly Finding[]>
}

export async function runSome({ seed: first, runs }: Task): Promise<Part> {
  const coverage = new Coverage()
  const findings: Finding[] = []
  const orders: number[] = []
  for (let seed = first; seed < first + runs; seed++) {
    const { plan, violations, coverage: reached, order } = await runHistory(seed)
    coverage.add(reached.toJSON())
    orders.push(order)
    findings.push(...violations.map((violation) => ({ violation, plan: formatPlan(plan) })))
  }
  return { runs, findings, reached: coverage.toJSON(), orders }
}

/** Histories that a process runs before it tells of them. */
const PART = 50
const WORKER = join(import.meta.dirname, 'campaign-worker.ts')

export interface SoFar {
  readonly runs: number
  readonly findings: number
  /** The first of their kinds. */
  readonly fresh: readonly Finding[]
}

/** @param progress is told after each part */
export async function campaign(task: Task, jobs: number, progress: (so: SoFar) => void): Promise<Campaign> {
  const coverage = new Coverage()
  const orders = new Set<number>()
  const findings = new Map<string, Finding[]>()
  const total = { runs: 0, findings: 0 }
  let next = task.seed
  const end = task.seed + task.runs

  function take(part: Part): void {
    total.runs += part.runs
    total.findings += part.findings.length
    coverage.add(part.reached)
    for (const order of part.orders) orders.add(order)
    const fresh: Finding[] = []
    for (const finding of part.findings) {
      const kind = kindOf(finding.violation)
      const known = findings.get(kind)
      if (known === undefined) fresh.push(finding)
      findings.set(kind, [...(known ?? []), finding])
    }
    progress({ ...total, fresh })
  }

  const work = async (): Promise<void> => {
    const worker = fork(WORKER, { execArgv: ['--max-semi-space-size=32', '--import', 'tsx'] })
    try {
      while (next < end) {
        const part: Task = { seed: next, runs: Math.min(PART, end - next) }
        next += part.runs
        take(await ask(worker, part))
      }
    } finally {
      worker.kill()
    }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, Math.ceil(task.runs / PART)) }, work))
  return { runs: total.runs, coverage, interleavings: orders.size, findings }
}

function ask(worker: ChildProcess, task: Task): Promise<Part> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) =>
      reject(new Error(`a process ended (${code}) in histories ${task.seed} to ${task.seed + task.runs - 1}`))
    worker.once('exit', ended)
    worker.once('message', (part) => {
      worker.off('exit', ended)
      resolve(part as Part)
    })
    worker.send(task)
  })
}
