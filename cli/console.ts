/** `mqtt-dynamodb console`: a page in the browser over the tables and queues of a run on this machine. */
import { isLoopback } from '../local/address.ts'
import { exits, newCommand, type OptionsOf, wrongUse } from './command-line/run-command.ts'
import { existingFile, httpUrl, matching, port, reader } from './command-line/values.ts'
import type { ConsoleRun } from './console/run-console.ts'
import { LOCAL_DATA_PLANE } from './smoke/endpoint-urls.ts'

const ABOUT = `Serves a page for the browser: who is connected, what waits, what failed, and each message, of the backend
that mqtt-dynamodb start runs on this machine. The address that it prints holds a token: who does not
have the token sees nothing.`

const address = reader('an address or a host name', (got) => (/^[^-\s]\S*$/.test(got) ? got : undefined))
const mqttUrl = matching('an mqtt URL', /^mqtt:\/\/[^\s/]+\/?$/)

export const flags = () =>
  newCommand('console', 'see and steer the local run in the browser', ABOUT)
    .option('--endpoint <URL>', 'the data plane of the run', httpUrl, LOCAL_DATA_PLANE)
    .option('--dynamodb <URL>', 'its DynamoDB', httpUrl, 'http://localhost:8000')
    .option('--mqtt <URL>', 'its MQTT broker', mqttUrl, 'mqtt://localhost:1883')
    .option('--conf <FILE>', 'the hook table that it should have: refused where the run says another', existingFile)
    .option('--port <PORT>', 'to listen on; 0: any free port', port, 8080)
    .option('--host <ADDRESS>', 'to listen on; what is no loopback address needs --i-know', address, '127.0.0.1')
    .option('--write', 'let it publish, purge, kick, redrive and delete; else it only reads')
    .option('--i-know', 'that whoever learns the address and its token acts on the backend, over plain HTTP')
    .option('--json', 'first line on stdout, when ready: one JSON object {"console":URL,"pid":NUMBER}')
    .addHelpText('after', '\nExit status: 0 ended by SIGINT or SIGTERM, 1 could not start, 2 wrong use.')

export const command = () =>
  flags().action(
    exits(async (given) => {
      const run = consoleRunOf(given)
      const { runConsole } = await import('./console/run-console.ts')
      return await runConsole(run)
    }),
  )

/** @throws BackendError `usage` for a host that other machines reach, without --i-know */
export function consoleRunOf(given: OptionsOf<typeof flags>): ConsoleRun {
  const { endpoint, dynamodb, mqtt, conf, host, port, write = false, iKnow = false, json = false } = given
  if (!isLoopback(host) && !iKnow)
    throw wrongUse(`--host is ${host}, which other machines may reach, wanted a loopback address, or --i-know`)
  const place = { dataUrl: endpoint, dynamodbUrl: dynamodb, mqttUrl: mqtt, ...(conf === undefined ? {} : { conf }) }
  return { host, port, write, json, place }
}
