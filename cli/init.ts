/** `mqtt-dynamodb init`: a CDK app of a few lines. */
import { exits, newCommand } from './command-line/run-command.ts'
import { directory } from './command-line/values.ts'
import { writeApp } from './init/write-app.ts'

const ABOUT = `Writes a CDK app that has the backend, its conf and a README into an empty folder, and says what to do
next. An app that you have needs none of it: import MqttBackend from mqtt-dynamodb.`

export const flags = () =>
  newCommand('init', 'write a CDK app with the backend into an empty folder', ABOUT)
    .argument('[DIR]', 'the folder, which is made where it is not there (default: this one)', directory)
    .addHelpText('after', '\nExit status: 0 the app is written, 2 wrong use: the folder is not empty, or cannot be written.')

export const command = () => flags().action(exits((folder = '.') => writeApp(folder)))
