/** What CloudFormation asks for at deployment instead of CDK at synthesis. */
import type { CdkResource, CdkTemplate } from './without-bootstrap.ts'

/** Stands in the synthesized template where the parameter is going to stand. */
export const PLACEHOLDER_EMAIL = 'alarms@parameter.invalid'
export const ALARM_EMAIL = 'AlarmEmail'
const HAS_ALARM_EMAIL = 'HasAlarmEmail'
const LOG_RETENTION = 'LogRetention'

/** CloudWatch Logs, PutRetentionPolicy. */
export const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] as const

type Value = unknown
type Entries = readonly (readonly [id: string, resource: CdkResource])[]

/** `LogRetention`, and `AlarmEmail` where the placeholder stands. */
export function withParameters(template: CdkTemplate): CdkTemplate {
  const withMail = JSON.stringify(template).includes(PLACEHOLDER_EMAIL) ? withAlarmEmail(template) : template
  return withLogRetention(withMail)
}

/** What tells somebody by mail is made where there is an address. */
function withAlarmEmail(template: CdkTemplate): CdkTemplate {
  const entries = Object.entries(template.Resources)
  const mailing = new Set(mailingIn(entries))
  const Resources = Object.fromEntries(
    entries.map(([id, resource]) => {
      const filled = withReference(resource, mailing.has(id) ? new Set() : mailing) as CdkResource
      return [id, mailing.has(id) ? { ...filled, Condition: HAS_ALARM_EMAIL } : filled]
    }),
  )
  return {
    ...template,
    Parameters: {
      ...template.Parameters,
      [ALARM_EMAIL]: {
        Type: 'String',
        Default: '',
        Description: 'Address that alarms notify; it must follow the link that AWS sends. Empty: none',
      },
    },
    ...{ Conditions: { [HAS_ALARM_EMAIL]: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: ALARM_EMAIL }, ''] }] } } },
    Resources,
  }
}

/** What names the address, the topic that it is subscribed to, and that topic's policy. */
function mailingIn(entries: Entries): string[] {
  const naming = entries.filter(([, resource]) => JSON.stringify(resource).includes(PLACEHOLDER_EMAIL))
  const topics = naming.flatMap(([, { Properties }]) => referenceIn(Properties?.TopicArn) ?? [])
  const policies = entries.filter(([, { Type, Properties }]) => {
    const of = Type === 'AWS::SNS::TopicPolicy' ? (Properties?.Topics as Value[]) : []
    return of.some((topic) => topics.includes(referenceIn(topic) ?? ''))
  })
  return [...topics, ...[...naming, ...policies].map(([id]) => id)]
}

const referenceIn = (value: Value): string | undefined => (value as { Ref?: string } | undefined)?.Ref

/** The parameter in the place of the address; in lists a topic only where it is made. */
function withReference(value: Value, mailing: ReadonlySet<string>): Value {
  if (value === PLACEHOLDER_EMAIL) return { Ref: ALARM_EMAIL }
  if (Array.isArray(value))
    return value.map((one) => {
      const isMade = mailing.has(referenceIn(one) ?? '')
      return isMade ? { 'Fn::If': [HAS_ALARM_EMAIL, one, { Ref: 'AWS::NoValue' }] } : withReference(one, mailing)
    })
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withReference(one, mailing)]))
}

function withLogRetention(template: CdkTemplate): CdkTemplate {
  const logs = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'AWS::Logs::LogGroup')
  const days = logs[0]?.[1].Properties?.RetentionInDays
  const changed = logs.map(([id, resource]) => [
    id,
    { ...resource, Properties: { ...resource.Properties, RetentionInDays: { Ref: LOG_RETENTION } } },
  ])
  const parameter = {
    Type: 'Number',
    Default: days,
    AllowedValues: LOG_DAYS,
    Description: "Days for which CloudWatch keeps the functions' logs",
  }
  return {
    ...template,
    Parameters: { ...template.Parameters, [LOG_RETENTION]: parameter },
    Resources: { ...template.Resources, ...Object.fromEntries(changed) },
  }
}
