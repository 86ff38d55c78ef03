/** What a soak found, for a person. */
import type { Account, Violation } from './accounting.ts'
import { replayOf, type SoakOptions } from './soak-flags.ts'

export interface SoakReport extends Account {
  readonly options: SoakOptions
  /** Copies of messages on topics kept for many: each subscriber's. */
  readonly copiesOwed: number
  readonly publishSeconds: number
  readonly seconds: number
  readonly kills: number
  /** Invocations that the kills cut short. */
  readonly interrupted: number
  readonly restarts: number
  readonly flaps: Readonly<Record<string, number>>
  /** At least so often: what happened just before the stack was killed is not counted. */
  readonly misbehaviours: Readonly<Record<string, number>>
  readonly retainedDeletes: number
  readonly redriven: number
  /** When the last subscribers came: messages that waited, and events that were dead letters before they were redriven. */
  readonly pendingBeforeLast: number
  readonly deadLettersBeforeRedrive: number
  /** Number of a message that is concerned -> its history. */
  readonly histories: Readonly<Record<string, readonly string[]>>
  /** Kept where something is wrong. */
  readonly dataDir?: string
}

const missingCopies = ({ violations }: SoakReport): number => violations.filter(({ invariant }) => invariant === 'I11').length

export const held = ({ lost, violations }: SoakReport): boolean => lost.length === 0 && violations.length === 0

const SHOWN = 20

export function reportText(report: SoakReport): string {
  const { options, published, publishSeconds, lost } = report
  const rows: [string, string | number][] = [
    [
      'published',
      `${published} messages, ${(published / publishSeconds).toFixed(0)}/s; ${report.retainedDeletes} deletions of retained ones`,
    ],
    ['delivered', report.delivered],
    ['  natively', `${report.natively} (also to wildcard subscribers)`],
    ['  by direct message', report.directly],
    ['  untold', `${report.untold} (MQTT 3.1.1 clients cannot tell which)`],
    ['  twice to a client', report.twice],
    ['pending', `${report.pending} (${report.pendingBeforeLast} before the last subscribers came)`],
    ['kept for many', `${report.copiesOwed} copies owed, ${missingCopies(report)} missing`],
    ['dead letters', `${report.deadLetters} (${report.deadLettersBeforeRedrive} before ${report.redriven} were redriven)`],
    ['lost', lost.length],
    ['rows left over', `${report.leftOver} of delivered messages`],
    ['handlers killed', `${report.kills}, ${report.interrupted} invocations cut short`],
    ['stack killed', `${report.restarts} times`],
    ['clients', words(report.flaps)],
    ['misbehaviour', words(report.misbehaviours)],
    ['engine', options.dynamodb],
    ['took', `${report.seconds.toFixed(0)} s, ${publishSeconds.toFixed(0)} of them publishing`],
  ]
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  const table = rows.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join('')
  return `${table}\n${held(report) ? `Nothing lost: ${published} of ${published} accounted for, every check held.\n` : failureText(report)}`
}

function failureText({ violations, histories, dataDir, options }: SoakReport): string {
  const told = violations.slice(0, SHOWN).map((violation) => violationText(violation, histories))
  const more = violations.length > SHOWN ? `and ${violations.length - SHOWN} more; --json tells all\n` : ''
  return `FAILED, ${violations.length} violations, seed ${options.seed}:\n${told.join('')}${more}
Data directory: ${dataDir}
Play it again:  ${replayOf(options)}
`
}

function violationText({ invariant, what, messages, clients }: Violation, histories: SoakReport['histories']): string {
  const who = clients.length > 0 ? `    clients: ${clients.join(', ')}\n` : ''
  const history = messages.flatMap((n) => histories[n] ?? []).map((line) => `    ${line}\n`)
  return `  ${invariant}: ${what}\n${who}${history.join('')}`
}

const words = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
