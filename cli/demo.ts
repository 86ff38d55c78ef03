/** `mqtt-dynamodb demo`: EMQX's page, played on a local stack. */
import { exits, newCommand } from './command-line/run-command.ts'
import { oneOf } from './command-line/values.ts'

const ABOUT = `Starts the local stack on free ports and walks through EMQX's page with real MQTT clients: presence, a
server-side subscription, offline messages, retained messages, a binary payload. Then what the page does
not have: a durable subscription with a receipt, competing consumers. Shows each step and its rows, as the
page prints them.`

export const flags = () =>
  newCommand('demo', "walk through EMQX's page on a local stack", ABOUT)
    .option('--dynamodb <ENGINE>', 'local is DynamoDB Local, which needs Java 17 or docker', oneOf('embedded', 'local'), 'embedded')
    .addHelpText('after', '\nExit status: 0 every step held, 1 one did not, 2 wrong use.')

export const command = () =>
  flags().action(
    exits(async ({ dynamodb }) => {
      const { playDemo } = await import('./demo/play-demo.ts')
      return await playDemo(dynamodb)
    }),
  )
