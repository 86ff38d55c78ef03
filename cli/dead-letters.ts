/** `mqtt-dynamodb dead-letters list|show|redrive`: dead letters and rule errors, on AWS and in the local run alike. */
import { HOOKS } from '../lambda/core/hooks.ts'
import { exits, newCommand } from './command-line/run-command.ts'
import { existingFile, httpUrl, oneOf, region, repeated, stackName } from './command-line/values.ts'

/** A command with the flags that say which queues it is about. */
const lettersCommand = (name: string, summary: string, about: string) =>
  newCommand(name, summary, about)
    .option('--stack <NAME>', 'whose queues; they are found by their names. Default: MqttBackend, or the only one of --outputs', stackName)
    .option('--outputs <FILE>', 'take the queues from what cdk deploy --outputs-file FILE wrote', existingFile)
    .option('--hook <HOOK>', 'only events of this hook', repeated(oneOf(...HOOKS)))
    .option('--region <REGION>', "default: that of the outputs, else the conf's, else the AWS profile's", region)
    .option('--endpoint <URL>', 'another SQS: http://localhost:8443 is the one of mqtt-dynamodb start', httpUrl)
    .option('--json', 'one JSON object instead of text')

const CREDENTIALS = `
Credentials come from where the AWS CLI has them; an --endpoint on this machine needs none.
`

const LIST = `Lists the dead letters of the hooks and the errors of the rules: when each came, whether it can be sent
again, and if not, why. Nothing is sent or deleted. A letter that is listed is hidden from other
readers for that moment.`

export const listFlags = () =>
  lettersCommand('list', 'what did not get through, and what can be sent again', LIST).addHelpText(
    'after',
    `${CREDENTIALS}\nExit status: 0 listed, 1 a queue could not be read, 2 wrong use.`,
  )

const SHOW = `Shows one dead letter or rule error with its body, which holds a payload. Nothing is sent or deleted. Letters that are
looked through are hidden from other readers for that moment.`

export const showFlags = () =>
  lettersCommand('show', 'one of them, with its body', SHOW)
    .argument('<LETTER>', 'its message id, as list shows it')
    .addHelpText('after', `${CREDENTIALS}\nExit status: 0 shown, 1 not there or not readable, 2 wrong use.`)

const REDRIVE = `Brings back what did not get through: dead letters of the hooks go to their hook's queue again; of the
rules' errors the event is made anew and goes to its hook's queue. What can never succeed stays
where it is, and is listed with the reason. Run it when the fault is gone. It may be run again at
any time, also after it was killed: an event that comes twice changes nothing.`

export const redriveFlags = () =>
  lettersCommand('redrive', 'send what did not get through again', REDRIVE)
    .option('--dry-run', 'say what would be done; nothing is sent or deleted')
    .addHelpText('after', `${CREDENTIALS}\nExit status: 0 nothing is left, 1 something stays or the redrive failed, 2 wrong use.`)

export const command = () =>
  newCommand(
    'dead-letters',
    'list, show or redrive what did not get through',
    'What did not get through, on AWS and in the local run alike.',
  )
    .addCommand(
      listFlags().action(
        exits(async (given) => {
          const { listLetters } = await import('./dead-letters/list-letters.ts')
          return await listLetters(given)
        }),
      ),
    )
    .addCommand(
      showFlags().action(
        exits(async (letter, given) => {
          const { showLetter } = await import('./dead-letters/show-letter.ts')
          return await showLetter(letter, given)
        }),
      ),
    )
    .addCommand(
      redriveFlags().action(
        exits(async (given) => {
          const { redriveLetters } = await import('./dead-letters/redrive-command.ts')
          return await redriveLetters(given)
        }),
      ),
    )
