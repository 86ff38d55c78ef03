/** The flags of `npm run million`. */
import { newScript, type OptionsOf } from '../../cli/command-line/run-command.ts'
import { number } from '../../cli/command-line/values.ts'

const ABOUT = `Fills the tables of a local run with 1,000,000 clients, 3,000,000 subscriptions, 100,000 topics and a topic of 1,000,000
messages, and runs the operators' commands on them: how many requests, what they say of their cost, how much memory.
Of the topic's messages those have a row of mqtt_msg that a command shows.`

export const millionFlags = () =>
  newScript('million', ABOUT)
    .option('--scale <S>', 'share of these numbers', number(0.001, 1), 1)
    .addHelpText('after', '\nExit status: 0 every command kept its bounds, 1 one did not, 2 wrong use.')

export type MillionFlags = OptionsOf<typeof millionFlags>
