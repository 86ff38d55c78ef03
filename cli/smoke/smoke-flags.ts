/** The flags of `npm run smoke`. */
import { BackendError } from '../../lambda/core/errors.ts'
import { DEFAULT_STACK, isRegion, isStackName } from '../dead-letters/redrive-flags.ts'
import { parseFlags, wrongFlag } from '../flags.ts'

export const HELP = `Usage: npm run smoke -- --region REGION [OPTIONS]

Tries a deployed stack with real MQTT clients: walks through the demo, looks at the
rows, finds out what only a real account can tell, and prints a report. Clients,
topics and rows have names of their own (smoke-..., smoke/...) and are removed in the end.

  --region REGION  of the stack
  --data HOST      the account's IoT data endpoint, or a URL (default: IoT Core is asked)
  --cert FILE, --key FILE
                   certificate and private key of a device, PEM: its clients connect to
                   mqtts://HOST:8883 (default: MQTT over WebSocket, wss://HOST/mqtt,
                   signed with your credentials; no certificate is made)
  --ca FILE        who signed the server's certificate, PEM (default: Node's own list)
  --mqtt URL       another broker: mqtt://, mqtts://, or signed ws://, wss://
  --iot URL        another IoT control plane, which is asked for --data
  --dynamodb URL   another DynamoDB
  --sqs URL        another SQS
  --stack NAME     (default: ${DEFAULT_STACK})
  --prefix PREFIX  of the table names (default: none)
  --patience S     how long each step waits for what must come (default: 15)
  --help

Credentials come from where the AWS CLI has them; endpoints on this machine need none.
What they must allow is in docs/operations.md, "Try it". With a certificate its policy
must allow the clients' part: iot:Connect for smoke-*, and iot:Publish,
iot:RetainPublish, iot:Receive and iot:Subscribe for smoke/*; with $aws/events/* for
smoke-* besides, more is answered. Against npm start:

  npm run smoke -- --region us-west-2 --mqtt mqtt://localhost:1883 \\
    --data http://localhost:8443 --dynamodb http://localhost:8000 --sqs http://localhost:8443

Exit status: 0 every check held, 1 one did not or the stack cannot be reached, 2 wrong usage.
`

export interface SmokeCommand {
  readonly region: string
  /** URLs. Where none is given, IoT Core is asked for the data endpoint, whose host is the broker's too. */
  readonly data?: string
  readonly mqtt?: string
  readonly iot?: string
  readonly dynamodb?: string
  readonly sqs?: string
  /** Paths. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  readonly ca?: string
  readonly stack: string
  readonly prefix: string
  readonly patienceMs: number
}

const string = { type: 'string' } as const
const OPTIONS = {
  region: string,
  data: string,
  mqtt: string,
  iot: string,
  dynamodb: string,
  sqs: string,
  cert: string,
  key: string,
  ca: string,
  stack: string,
  prefix: string,
  patience: string,
  help: { type: 'boolean', short: 'h' },
} as const

const PREFIX = /^[\w.-]{0,237}$/
const LONGEST_PATIENCE = 600

/** @returns `help` where it is asked for. @throws BackendError `usage` with one line */
export function parseCommand(args: readonly string[]): SmokeCommand | 'help' {
  const flags = parseFlags(args, OPTIONS)
  if (flags.help) return 'help'
  const { region, stack = DEFAULT_STACK, prefix = '', patience = '15', dynamodb, sqs, iot, ca } = flags
  if (region === undefined) throw missing('region', 'the region of the stack')
  if (!isRegion(region)) throw wrongFlag('region', region, 'a region as us-west-2')
  if (!isStackName(stack)) throw wrongFlag('stack', stack, 'the name of a CloudFormation stack')
  if (!PREFIX.test(prefix)) throw wrongFlag('prefix', prefix, 'letters, digits, "_", "-" and ".", at most 237')
  const seconds = /^\d{1,3}$/.test(patience) ? Number(patience) : 0
  if (seconds < 1 || seconds > LONGEST_PATIENCE) throw wrongFlag('patience', patience, `whole seconds from 1 to ${LONGEST_PATIENCE}`)
  const certificate = certificateOf(flags.cert, flags.key)
  return {
    region,
    stack,
    prefix,
    patienceMs: seconds * 1000,
    ...(flags.data === undefined ? {} : { data: dataUrl(flags.data) }),
    ...(flags.mqtt === undefined ? {} : { mqtt: mqttUrl(flags.mqtt) }),
    ...(iot === undefined ? {} : { iot: endpoint('iot', iot, HTTP) }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(ca === undefined ? {} : { ca }),
    ...(dynamodb === undefined ? {} : { dynamodb: endpoint('dynamodb', dynamodb, HTTP) }),
    ...(sqs === undefined ? {} : { sqs: endpoint('sqs', sqs, HTTP) }),
  }
}

const HTTP = ['http:', 'https:']
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/

/** A WebSocket has a path: IoT Core's is `/mqtt`. */
function mqttUrl(got: string): string {
  const isSocket = /^wss?:/.test(got)
  const url = endpoint('mqtt', isSocket ? got.replace(/\/mqtt$/, '') : got, ['mqtt:', 'mqtts:', 'ws:', 'wss:'], MQTT_WANTED)
  return isSocket ? `${url}/mqtt` : url
}
const MQTT_WANTED = 'a URL of mqtt:// or mqtts:// without a path, or of ws:// or wss:// with /mqtt'

function dataUrl(got: string): string {
  if (HOST.test(got)) return `https://${got}`
  return endpoint('data', got, HTTP, 'a host name or an http(s) URL without a path')
}

function endpoint(
  name: string,
  got: string,
  protocols: readonly string[],
  wanted = `a URL of ${protocols.join('// or ')}// without a path`,
): string {
  const url = URL.canParse(got) ? new URL(got) : undefined
  const isPlain = url !== undefined && url.hostname !== '' && /^\/?$/.test(url.pathname) && url.search === '' && url.username === ''
  if (!isPlain || !protocols.includes(url.protocol)) throw wrongFlag(name, got, wanted)
  return got.replace(/\/$/, '')
}

function certificateOf(cert: string | undefined, key: string | undefined): SmokeCommand['certificate'] {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined) throw missing('cert', 'the certificate of --key')
  if (key === undefined) throw missing('key', 'the private key of --cert')
  return { cert, key }
}

const missing = (name: string, wanted: string) => new BackendError('usage', `--${name} is missing, wanted ${wanted}`)
