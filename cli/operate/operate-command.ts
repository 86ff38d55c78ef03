/** Flags and output that the operators' commands share. */
import { printable } from '../../local/printable.ts'
import { newCommand } from '../command-line/run-command.ts'
import { httpUrl, matching, region, whole } from '../command-line/values.ts'

const prefix = matching('the prefix of table names', /^[A-Za-z0-9_.-]{1,200}$/)

const place = matching('what the list before printed', /^[\w-]+$/)
export const limit = whole(1, 1_000)

/** A command that reads the tables of the local run, or with --aws of a stack. */
export const tablesCommand = (name: string, summary: string, about: string) =>
  newCommand(name, summary, about)
    .option('--aws', 'the tables of AWS, by your own credentials, instead of a local run')
    .option('--region <REGION>', "of the tables; default: the AWS profile's", region)
    .option('--prefix <TEXT>', "of the tables' names, as in cdk deploy -c prefix=TEXT", prefix)
    .option('--dynamodb <URL>', 'DynamoDB of the local run', httpUrl, 'http://localhost:8000')
    .option('--endpoint <URL>', 'data plane of the local run', httpUrl, 'http://localhost:8443')
    .option('--json', 'one JSON document instead of text')
    .addHelpText('after', '\nExit status: 0 done, 1 not found or not reachable, 2 wrong use.')

/** A list that is read page by page: one request. */
export const listCommand = (name: string, summary: string, about: string) =>
  tablesCommand(name, summary, about)
    .option('--limit <N>', 'rows that are read, in one request', limit, 50)
    .option('--after <PLACE>', 'go on where the list before said that it ended', place)

type Cell = string | number

/** A table for people. Names that strangers chose (client ids, topics) are escaped. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const all = [header, ...rows.map((row) => row.map((cell) => printable(`${cell}`)))]
  const widths = header.map((_, i) => Math.max(...all.map((row) => `${row[i]}`.length)))
  return all
    .map((row) =>
      row
        .map((cell, i) => `${cell}`.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export const say = (text: string): void => void process.stdout.write(`${text}\n`)
export const sayJson = (value: unknown): void => say(JSON.stringify(value))

/** UTC; `-`: not known. @param ms milliseconds */
export const timeOf = (ms: number): string => (ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString() : '-')

/** The line below a list that has more pages. */
export const more = (next: string | undefined): string[] => (next === undefined ? [] : [`more: --after ${next}`])
