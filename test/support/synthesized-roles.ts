/** What the role of a hook's function allows in a synthesized template, and what a recorded call asks of IAM: both as `action on ARN`. */
import type { HookName } from '../../lambda/core/hooks.ts'
import { RETAIN_INDEX } from '../../lambda/core/tables.ts'
import { pascalCase } from '../../lib/construct-ids.ts'
import { actionsOf } from './iam-grammar.ts'
import { arnText } from './policy-statements.ts'
import type { Properties, SynthesizedTemplate } from './synthesized.ts'

/** Lambda's own calls, which no handler makes: test/lib/mqtt-backend.test.ts holds them. */
const LAMBDA = /^(?:sqs:(?!SendMessage)|logs:)/

/** Every action on every resource that the function may call, without those that Lambda itself needs; `through` which service, of a key. */
export function allowedIn(template: SynthesizedTemplate, hook: HookName): string[] {
  const { Policies, ManagedPolicyArns = [] } = template.one('AWS::IAM::Role', pascalCase(hook)).Properties
  const statements: Properties[] = Policies.flatMap(({ PolicyDocument }: Properties) => PolicyDocument.Statement)
  const pairs = statements.flatMap((statement) =>
    actionsOf(statement).flatMap((action) =>
      [statement.Resource].flat().map((each) => `${action}${through(statement)} on ${placed(arnText(each, template))}`),
    ),
  )
  return [...ManagedPolicyArns.map(JSON.stringify), ...pairs.filter((pair) => !LAMBDA.test(pair))].sort()
}

const through = ({ Condition }: Properties): string => {
  const service: string | undefined = Condition?.StringEquals?.['kms:ViaService']
  return service === undefined ? '' : ` through ${service.split('.')[0]}`
}

/** The stack has a region of its own, which CloudFormation also fills in for its resources. */
const placed = (arn: string) => arn.replace(':eu-west-1:', ':REGION:')

/** What a call asks, in the words of {@link Call}: `mqtt_msg:PutItem`, `mqtt_retain/index:Query`, `GetConnection`. */
export function askedBy(call: string, template: SynthesizedTemplate, { prefix, deliveryHook }: Asking): string {
  if (call === 'SendMessage') {
    const source = template.one('AWS::Lambda::EventSourceMapping', pascalCase(deliveryHook!)).Properties
    return `sqs:SendMessage on ${arnText(source.EventSourceArn, template)}`
  }
  const [place = '', operation] = call.split(':')
  if (operation === undefined) return `iot:${place} on arn:aws:iot:REGION:ACCOUNT:${place === 'GetRetainedMessage' ? 'topic' : 'client'}/*`
  const [table = '', index] = place.split('/')
  const arn = `arn:aws:dynamodb:REGION:ACCOUNT:table/${nameIn(template, prefix + table)}`
  return `dynamodb:${operation} on ${arn}${index === undefined ? '' : `/index/${RETAIN_INDEX.name}`}`
}

interface Asking {
  /** Of the tables' names. */
  readonly prefix: string
  readonly deliveryHook: HookName | undefined
}

/** Of a table that the stack makes, its logical id stands for the name. */
const nameIn = (template: SynthesizedTemplate, name: string): string =>
  template.ofType('AWS::DynamoDB::Table').find(([, { Properties }]) => Properties.TableName === name)?.[0] ?? name
