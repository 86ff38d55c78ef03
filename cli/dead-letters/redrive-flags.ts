/** The flags of `npm run redrive`. */
import { parseArgs } from 'node:util'
import { BackendError } from '../../lambda/core/errors.ts'
import { HOOKS, type HookName } from '../../lambda/core/hooks.ts'

export const DEFAULT_STACK = 'MqttBackend'

export const HELP = `Usage: npm run redrive -- [OPTIONS]

Brings back what did not get through: dead letters of the hooks go to their hook's
queue again; of the rules' errors the event is made anew and goes to its hook's
queue. What can never succeed stays where it is, and is listed with the reason.
Run it when the fault is gone. It may be run again at any time, also after it was
killed: an event that comes twice changes nothing.

  --stack NAME     whose queues; they are found by their names (default: ${DEFAULT_STACK})
  --outputs FILE   take the queues from what cdk deploy --outputs-file FILE wrote
  --hook HOOK      only events of this hook, e.g. message.publish; may be repeated
  --dry-run        say what would be done; nothing is sent or deleted
  --region REGION  (default: the outputs', else the conf's, else the AWS profile's)
  --endpoint URL   another SQS: http://localhost:8443 is the one of npm start
  --json           one JSON object instead of text
  --help

Credentials come from where the AWS CLI has them; an --endpoint on this machine
needs none.

Exit status: 0 nothing is left, 1 something stays or the redrive failed, 2 wrong usage.
`

export interface RedriveCommand {
  readonly stack?: string
  /** Path. */
  readonly outputs?: string
  readonly hooks?: readonly HookName[]
  readonly dryRun: boolean
  readonly region?: string
  readonly endpoint?: string
  readonly json: boolean
  readonly help: boolean
}

const string = { type: 'string' } as const
const boolean = { type: 'boolean' } as const
const OPTIONS = {
  stack: string,
  outputs: string,
  hook: { ...string, multiple: true },
  'dry-run': boolean,
  region: string,
  endpoint: string,
  json: boolean,
  help: { ...boolean, short: 'h' },
} as const

/** CloudFormation user guide, "Stack name". */
const STACK = /^[A-Za-z][A-Za-z0-9-]{0,127}$/
const REGION = /^[a-z]{2,}(?:-[a-z]+)+-\d+$/

export const isStackName = (name: string): boolean => STACK.test(name)
export const isRegion = (name: string): boolean => REGION.test(name)

/** @throws BackendError `usage` with one line */
export function parseCommand(args: readonly string[]): RedriveCommand {
  const { stack, outputs, hook, region, endpoint, ...flags } = parse(args)
  if (stack !== undefined && !isStackName(stack)) throw wrong('stack', stack, 'the name of a CloudFormation stack')
  if (outputs === '') throw wrong('outputs', outputs, 'a file')
  if (region !== undefined && !isRegion(region)) throw wrong('region', region, 'a region as us-west-2')
  if (endpoint !== undefined && !isHttp(endpoint)) throw wrong('endpoint', endpoint, 'an http(s) URL')
  return {
    ...(stack === undefined ? {} : { stack }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(hook === undefined ? {} : { hooks: hook.map(hookNamed) }),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    dryRun: flags['dry-run'] ?? false,
    json: flags.json ?? false,
    help: flags.help ?? false,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values
  } catch (error) {
    const said = (error as Error).message.split(/[.\n]/)[0]!
    // Node's word for `--stack --json`
    throw new BackendError('usage', said.replace('argument is ambiguous', 'is followed by a dash, wanted a value'))
  }
}

function hookNamed(name: string): HookName {
  const hook = HOOKS.find((one) => one === name)
  if (hook === undefined) throw wrong('hook', name, `one of ${HOOKS.join(', ')}`)
  return hook
}

const isHttp = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)

const wrong = (name: string, got: string, wanted: string) =>
  new BackendError('usage', `--${name} is ${JSON.stringify(got)}, wanted ${wanted}`)
