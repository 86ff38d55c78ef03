/** `mqtt-dynamodb template`: the backend for people without CDK. */
import { exits, newCommand, type OptionsOf, wrongUse } from './command-line/run-command.ts'
import { directory, existingFile, matching, repeated } from './command-line/values.ts'
import type { TemplateOrder } from './template/write-template.ts'

const ABOUT = `Writes the CloudFormation template and the code of its functions into an empty folder, and says how to
deploy it: by the AWS command line alone, without CDK, and without a bootstrap of account and region.`

const AFTER = `
What the template leaves open are its parameters: AlarmEmail and LogRetention. An option of docs/deploy.md is given here.

Exit status: 0 it is written, 2 wrong use, or the conf or an option is refused: nothing is written.`

/** Names with other signs are CDK's own. */
const assignment = matching('NAME=VALUE, an option of docs/deploy.md', /^[A-Za-z]\w*=/)

export const flags = () =>
  newCommand('template', 'write a CloudFormation template that needs no CDK', ABOUT)
    .option('--conf <FILE>', 'the hook table; default: etc/emqx_backend_dynamo.conf', existingFile)
    .option('--out <DIR>', 'the folder, which is made where it is not there; must be given', directory)
    .option('--option <NAME=VALUE>', 'as -c of npx cdk deploy', repeated(assignment))
    .addHelpText('after', AFTER)

export const command = () =>
  flags().action(
    exits(async (given) => {
      const order = orderOf(given)
      const { writeTemplate } = await import('./template/write-template.ts')
      return await writeTemplate(order)
    }),
  )

/** @throws BackendError `usage` */
function orderOf({ conf, out, option = [] }: OptionsOf<typeof flags>): TemplateOrder {
  if (out === undefined) throw wrongUse('--out is missing, wanted a directory')
  const options = Object.fromEntries(option.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]))
  if (options.conf !== undefined) throw wrongUse(`--option is ${JSON.stringify(`conf=${options.conf}`)}, wanted --conf ${options.conf}`)
  return { out, options: { ...options, ...(conf === undefined ? {} : { conf }) } }
}
