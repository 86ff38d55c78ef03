/**
 * What the handlers add to the requests that they make: CPU and time of each invocation, DynamoDB as near as it can be, against the same
 * requests with no logic. As deployed: bundled, the deployed clients; in a process of their own. Rounds take turns.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { plainFile } from '../local/plain-file.ts'
import { startCloud } from './cloud.ts'
import { ALONE, BATCHED } from './cpu-cases.ts'
import type { CpuReport, CpuTask } from './cpu-process.ts'
import type { Measured } from './over-floor.ts'
import { atMost, type Block, type Figure } from './report.ts'

const MOST_LATENCY = 1.1
const MOST_CPU = 1.15

export const cpu: Block = async ({ quick, progress }) => {
  const cloud = await startCloud()
  try {
    const urls = { dynamodb: cloud.urls.engine, iot: cloud.urls.devices }
    const task = quick ? { urls, events: 100, rounds: 2 } : { urls, events: 200, rounds: 9 }
    const measured = await inOwnProcess(task, progress)
    return [...measured.filter(({ keepsFloor }) => keepsFloor).flatMap(overFloor), ...batching(measured)]
  } finally {
    await cloud.stop()
  }
}

async function inOwnProcess(task: CpuTask, progress: (line: string) => void): Promise<Measured[]> {
  const program = await plainFile(join(import.meta.dirname, 'cpu-process.ts'), 'bench-cpu')
  const child = fork(program, [JSON.stringify(task)], { execArgv: [] })
  const measured: Measured[] = []
  let failed: string | undefined
  child.on('message', (report: CpuReport) => {
    if ('failed' in report) failed = report.failed
    else {
      measured.push(report.measured)
      progress(`${report.measured.name}: ${task.rounds} rounds`)
    }
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the measured process ended with ${code}`)
  if (failed !== undefined) throw new Error(failed)
  return measured
}

function overFloor({ name, requests, ours, floor }: Measured): Figure[] {
  const raw = `the same ${requests.toFixed(1)} raw SDK requests`
  const figure = (what: 'latency' | 'cpu', unit: string, most: number): Figure => {
    const ratio = ours[what] / floor[what]
    const { against, reached } = atMost(most, ratio)
    return {
      name: `${what === 'cpu' ? 'CPU' : 'latency'} of ${name}`,
      value: ours[what],
      unit,
      ratio,
      floor: floor[what],
      against: `${against} x ${raw}`,
      reached,
    }
  }
  return [figure('latency', 'ms', MOST_LATENCY), figure('cpu', 'µs', MOST_CPU)]
}

/** 100 publishes on different topics in one batch against one in each. */
function batching(measured: readonly Measured[]): Figure[] {
  const [alone, batched] = [ALONE, BATCHED].map((name) => measured.find((one) => one.name === name)!)
  const ratio = batched!.ours.cpu / alone!.ours.cpu
  const { against, reached } = atMost(0.5, ratio)
  const raw = batched!.floor.cpu / alone!.floor.cpu
  return [
    {
      name: `CPU a message: ${BATCHED}`,
      value: batched!.ours.cpu,
      unit: 'µs',
      ratio,
      floor: alone!.ours.cpu,
      against: `${against} x one by one`,
      reached,
    },
    {
      name: 'the same of the raw SDK requests alone',
      value: batched!.floor.cpu,
      unit: 'µs',
      ratio: raw,
      floor: alone!.floor.cpu,
      against: 'one by one',
    },
    { name: `requests a message: ${BATCHED}`, value: batched!.requests, unit: '', ...atMost(1.1, batched!.requests) },
  ]
}
