/** What `npm run platforms` prints. */
import { TRIED, type TrialName } from './platforms-flags.ts'

export interface Result {
  readonly trial: TrialName
  /** Of Node, such as 22.23.3. */
  readonly version: string
  readonly outcome: 'held' | 'FAILED' | 'skipped'
  readonly seconds: number
  /** What is worth saying, or what failed, or why it was skipped. */
  readonly said?: string | undefined
}

/** A table of Markdown, and below it what is worth saying. */
export function tableOf(results: readonly Result[]): string {
  const versions = [...new Set(results.map(({ version }) => version))]
  const trials = [...new Set(results.map(({ trial }) => trial))]
  const cell = (trial: TrialName, version: string): string => {
    const result = results.find((one) => one.trial === trial && one.version === version)
    return result === undefined ? '' : shown(result)
  }
  const rows = trials.map((trial) => [TRIED[trial], ...versions.map((version) => cell(trial, version))])
  const lines = [['', ...versions.map((version) => `Node ${version}`)], ['---', ...versions.map(() => '---')], ...rows]
  return lines.map((line) => `| ${line.join(' | ')} |\n`).join('')
}

/** A cell has one line. */
const shown = ({ outcome, said }: Result): string => (said === undefined ? outcome : `${outcome}: ${firstLines(said)}`)
const firstLines = (text: string): string =>
  text
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('|', '/')
