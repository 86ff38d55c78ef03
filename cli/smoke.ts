/** `mqtt-dynamodb smoke`: tries a deployed stack, and tells what only it can tell. */
import { exits, newCommand, type OptionsOf, wrongUse } from './command-line/run-command.ts'
import { existingFile, matching, region, stackName, whole } from './command-line/values.ts'
import { DEFAULT_STACK } from './dead-letters/aws-names.ts'
import { dataUrl, mqttUrl, plainHttpUrl } from './smoke/endpoint-urls.ts'
import type { SmokeCommand } from './smoke/places.ts'

const ABOUT = `Tries a deployed stack with real MQTT clients: walks through the demo, looks at the rows, finds out what
only a real account can tell, and prints a report. Clients, topics and rows have names of their own
(smoke-..., smoke/...) and are removed in the end.`

const AFTER = `
Credentials come from where the AWS CLI has them; endpoints on this machine need none.
What they must allow is in docs/operations.md, "Try it". With a certificate its policy
must allow the clients' part: iot:Connect for smoke-*, and iot:Publish,
iot:RetainPublish, iot:Receive and iot:Subscribe for smoke/*; with $aws/events/* for
smoke-* besides, more is answered. Against mqtt-dynamodb start:

  mqtt-dynamodb smoke --region us-west-2 --mqtt mqtt://localhost:1883 \\
    --data http://localhost:8443 --dynamodb http://localhost:8000 --sqs http://localhost:8443

Exit status: 0 every check held, 1 one did not or the stack cannot be reached, 2 wrong use.`

const tablePrefix = matching('letters, digits, "_", "-" and ".", at most 237', /^[\w.-]{0,237}$/)

export const flags = () =>
  newCommand('smoke', 'try a deployed stack', ABOUT)
    .option('--region <REGION>', 'of the stack; must be given', region)
    .option('--data <HOST>', "the account's IoT data endpoint. Default: IoT Core is asked", dataUrl)
    .option(
      '--cert <FILE>',
      'PEM, of a device: its clients connect to mqtts://HOST:8883. Default: MQTT over WebSocket, wss://HOST/mqtt, signed with your credentials',
      existingFile,
    )
    .option('--key <FILE>', 'PEM, the private key of --cert', existingFile)
    .option('--ca <FILE>', "PEM, who signed the server's certificate. Default: Node's own list", existingFile)
    .option('--mqtt <URL>', 'another broker', mqttUrl)
    .option('--iot <URL>', 'another IoT control plane, which is asked for --data', plainHttpUrl)
    .option('--dynamodb <URL>', 'another DynamoDB', plainHttpUrl)
    .option('--sqs <URL>', 'another SQS', plainHttpUrl)
    .option('--stack <NAME>', 'whose queues', stackName, DEFAULT_STACK)
    .option('--prefix <PREFIX>', 'of the table names. Default: none', tablePrefix)
    .option('--patience <S>', 'seconds that each step waits for what must come', whole(1, 600), 15)
    .option('--json', 'the report as one JSON object; what happens is told on stderr')
    .addHelpText('after', AFTER)

export const command = () =>
  flags().action(
    exits(async ({ json = false, ...given }) => {
      const smoke = smokeOf(given)
      const { runSmoke } = await import('./smoke/run-smoke.ts')
      return await runSmoke(smoke, { json })
    }),
  )

/** @throws BackendError `usage` if a flag is missing */
export function smokeOf({ region, cert, key, patience, prefix = '', ...given }: Omit<OptionsOf<typeof flags>, 'json'>): SmokeCommand {
  if (region === undefined) throw missing('region', 'the region of the stack')
  if (cert === undefined && key !== undefined) throw missing('cert', 'the certificate of --key')
  if (cert !== undefined && key === undefined) throw missing('key', 'the private key of --cert')
  const certificate = cert === undefined ? {} : { certificate: { cert, key: key! } }
  return { ...given, region, prefix, patienceMs: patience * 1000, ...certificate }
}

const missing = (name: string, wanted: string) => wrongUse(`--${name} is missing, wanted ${wanted}`)
