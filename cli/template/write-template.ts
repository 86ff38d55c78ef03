/** Writes the folder of `mqtt-dynamodb template`. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { synthesize } from '../../local/template/assembly.ts'
import { readTemplate } from '../../local/template/template.ts'
import { makeFolder, refuseUsed } from '../command-line/empty-folder.ts'
import { shellWord } from '../command-line/shell-word.ts'
import { ALARM_EMAIL, PLACEHOLDER_EMAIL, withParameters } from './parameters.ts'
import { type AssetFile, type CdkTemplate, withoutBootstrap } from './without-bootstrap.ts'

export interface TemplateOrder {
  readonly out: string
  /** Option -> value, as `cdk synth -c` takes them. */
  readonly options: Readonly<Record<string, string>>
}

const STACK = 'MqttBackend'
const FILE = 'template.json'

/** @throws BackendError `usage` or `refused`; then nothing is written */
export async function writeTemplate({ out, options }: TemplateOrder): Promise<number> {
  refuseUsed(out, '--out')
  const { alarmEmail } = options
  const context = { ...options, alarmEmail: alarmEmail ?? PLACEHOLDER_EMAIL }
  const assembly = await synthesize(context, (line) => process.stderr.write(`${line}\n`))
  try {
    const { region } = readTemplate(assembly.directory)
    const { template, code } = withoutBootstrap(read(assembly.directory, 'template') as CdkTemplate, filesOf(assembly.directory))
    makeFolder(out, '--out')
    for (const [folder, source] of code) cpSync(join(assembly.directory, source), join(out, folder), { recursive: true })
    writeFileSync(join(out, FILE), `${JSON.stringify(withParameters(template), null, 1)}\n`)
    process.stdout.write(nextOf({ out, region, stackName: options.stackName ?? STACK, mail: alarmEmail === undefined }))
    return 0
  } finally {
    await assembly.remove()
  }
}

const read = (directory: string, kind: 'template' | 'assets'): unknown =>
  JSON.parse(readFileSync(join(directory, `${STACK}.${kind}.json`), 'utf8'))

const filesOf = (directory: string) => (read(directory, 'assets') as { files: Readonly<Record<string, AssetFile>> }).files

interface Next {
  readonly out: string
  readonly region: string
  readonly stackName: string
  /** Whether the address of alarms is a parameter. */
  readonly mail: boolean
}

/** A template of more than 51,200 bytes goes by way of the bucket. */
function nextOf({ out, region, stackName, mail }: Next): string {
  const file = (name: string) => shellWord(join(out, name))
  const parameters = mail ? ` --parameter-overrides ${ALARM_EMAIL}=ops@example.com` : ''
  return `Written: ${file(FILE)} and the code of its functions. Next, with an S3 bucket of yours in ${region} for BUCKET (aws s3 mb s3://BUCKET makes one):

  aws cloudformation package --region ${region} --template-file ${file(FILE)} --s3-bucket BUCKET --use-json --output-template-file ${file('packaged.json')}
  aws cloudformation deploy --region ${region} --template-file ${file('packaged.json')} --s3-bucket BUCKET --stack-name ${stackName} --capabilities CAPABILITY_IAM${parameters}
`
}
