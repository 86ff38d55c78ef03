/** Flags and output that the operators' commands share. */
import { readFileSync } from 'node:fs'
import { Option } from '@commander-js/extra-typings'
import { printable } from '../../local/printable.ts'
import { newCommand, wrongUse } from '../command-line/run-command.ts'
import { existingFile, httpUrl, matching, reader, region, stackName, whole } from '../command-line/values.ts'
import { dataUrl, LOCAL_DATA_PLANE } from '../smoke/endpoint-urls.ts'
import { keyAt } from './page-place.ts'

const prefix = matching('the prefix of table names', /^[A-Za-z0-9_.-]{1,200}$/)

const place = reader('what the list before printed', (got) => (keyAt(got) === undefined ? undefined : got))
const text = reader('a text', (got) => got)
/** AWS IoT Core quota "Payload size". */
const MAX_PAYLOAD = 128 * 1024

export const limit = whole(1, 1_000)
/** Of what reads a whole table. */
export const RATE = 'read units a second at most; default: on AWS a tenth of what was read in the last hour, else 100'

/** A command that reads the tables of the local run, or with --aws of a stack. */
export const tablesCommand = (name: string, summary: string, about: string) =>
  newCommand(name, summary, about)
    .option('--aws', 'the tables of AWS, by your own credentials, instead of a local run')
    .option('--region <REGION>', "of the tables; default: the AWS profile's", region)
    .option('--prefix <TEXT>', "of the tables' names, as in cdk deploy -c prefix=TEXT", prefix)
    .option('--dynamodb <URL>', 'DynamoDB of the local run; default: the run tells', httpUrl)
    .option('--endpoint <URL>', 'data plane of the local run', httpUrl, LOCAL_DATA_PLANE)
    .option('--json', 'one JSON document instead of text')
    .addHelpText('after', '\nExit status: 0 done, 1 not found or not reachable, 2 wrong use.')

/** A command that goes through IoT Core, too. */
export const iotCommand = (name: string, summary: string, about: string) =>
  tablesCommand(name, summary, about).option('--data <HOST>', "the account's data plane, with --aws; default: IoT Core is asked", dataUrl)

/** A command that looks at a whole stack. */
export const stackCommand = (name: string, summary: string, about: string) =>
  iotCommand(name, summary, about)
    .option('--stack <NAME>', 'which stack, with --aws; default: MqttBackend', stackName)
    .option('--control <URL>', "a stand-in for the control planes, with --aws; default: AWS's", httpUrl)

/** The payload of what is published: one of the two. */
export const withPayload = <C extends ReturnType<typeof iotCommand>>(command: C) =>
  command
    .option('--payload <TEXT>', 'what is published', text)
    .option('--payload-file <FILE>', 'the file whose bytes are published', existingFile)

/** @throws BackendError `usage` where not exactly one is given, or it is more than IoT Core takes */
export function payloadOf({ payload, payloadFile }: { payload?: string | undefined; payloadFile?: string | undefined }): Buffer {
  if ((payload === undefined) === (payloadFile === undefined)) throw wrongUse('wanted one of --payload and --payload-file')
  const bytes = payload === undefined ? readFileSync(payloadFile!) : Buffer.from(payload)
  if (bytes.length > MAX_PAYLOAD) throw wrongUse(`the payload has ${bytes.length} bytes, wanted at most ${MAX_PAYLOAD}, as IoT Core takes`)
  return bytes
}

export const ndjson = () => new Option('--ndjson', 'one JSON object a row; how to go on stands on stderr').conflicts('json')

/** Rows for machines. @returns false: they are wanted as text */
export function saidAsJson(
  { json, ndjson }: { readonly json?: true | undefined; readonly ndjson?: unknown },
  list: { readonly [name: string]: readonly object[] },
  next?: string,
): boolean {
  if (json) sayJson({ ...list, ...(next === undefined ? {} : { next }) })
  if (!ndjson) return json === true
  for (const row of Object.values(list).flat()) sayJson(row)
  for (const line of more(next)) process.stderr.write(`${line}\n`)
  return true
}

/** A list that is read page by page: one request. */
export const listCommand = (name: string, summary: string, about: string) =>
  tablesCommand(name, summary, about)
    .option('--limit <N>', 'rows that are read, in one request', limit, 50)
    .option('--after <PLACE>', 'go on where the list before said that it ended', place)
    .addOption(ndjson())

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
