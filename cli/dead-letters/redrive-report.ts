/** The report of a redrive: for each queue how many letters were redriven, which stay, and why. It never holds a payload (I10). */
import { printable } from '../../local/printable.ts'
import type { PassReport, Stay } from './queue-pass.ts'

export interface QueueReport extends Omit<PassReport, 'failure'> {
  /** The error that ended its pass early, in one line. */
  readonly failed?: string
}

export interface Report {
  readonly dryRun: boolean
  /** Somebody stopped it before the end. */
  readonly stopped: boolean
  readonly queues: readonly QueueReport[]
}

/** The text shows so many letters that stay; the JSON shows all. */
const SHOWN = 20

const redrivenIn = ({ queues }: Report): number => queues.reduce((sum, { redriven }) => sum + redriven, 0)
const staysIn = ({ queues }: Report): number => queues.reduce((sum, { stays }) => sum + stays.length, 0)

/** Whether no letter is left. */
export const isComplete = (report: Report): boolean =>
  staysIn(report) === 0 && !report.stopped && report.queues.every(({ invisible, failed }) => invisible === 0 && failed === undefined)

/** Whether there is anything to report besides failures. */
export const isWorthTelling = ({ queues }: Report): boolean =>
  queues.some(({ failed, redriven, stays }) => failed === undefined || redriven + stays.length > 0)

/** Each failure once: several queues may have the same. */
export const failuresIn = ({ queues }: Report): string[] => [...new Set(queues.flatMap(({ failed }) => failed ?? []))]

export function asText(report: Report): string {
  const done = report.dryRun ? 'would be redriven' : 'redriven'
  const lines = report.queues.flatMap(({ name, redriven, stays, invisible }) => [
    ...(redriven > 0 ? [`${name}: ${redriven} ${done}`] : []),
    ...(stays.length > 0 ? [`${name}: ${stays.length} ${stays.length === 1 ? 'stays' : 'stay'}`] : []),
    ...stays.slice(0, SHOWN).map(stayText),
    ...(stays.length > SHOWN ? [`  and ${stays.length - SHOWN} more (--json lists all)`] : []),
    ...(invisible > 0
      ? [`${name}: about ${invisible} more are hidden, because another reader has received them; run again in two minutes`]
      : []),
  ])
  const stays = staysIn(report)
  const total = `${redrivenIn(report)} ${done}, ${stays} ${stays === 1 ? 'stays' : 'stay'}${report.stopped ? '; stopped before the end' : ''}`
  return `${[...lines, total].join('\n')}\n`
}

const stayText = ({ messageId, sentAt, hook, code, why }: Stay): string =>
  `  ${messageId}  ${timeText(sentAt)}  ${hook === undefined ? '' : `${hook}  `}${printable(`${code}: ${why}`)}`

export const timeText = (milliseconds: number): string =>
  Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString() : 'at an unknown time'

export function asJson(report: Report): string {
  const { dryRun, stopped, queues } = report
  return `${JSON.stringify({ redriven: redrivenIn(report), stays: staysIn(report), dryRun, stopped, queues })}\n`
}
