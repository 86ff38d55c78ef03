import { CfnParameter, CfnRule, Fn, Stack } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'

/**
 * Stops a deployment with another `prefix` than the last one before CloudFormation touches anything: it would replace the six tables
 * by empty ones. A stack keeps a parameter's value from deployment to deployment (`cdk deploy --previous-parameters`, the default), so
 * the rule compares the prefix of the first deployment with the prefix of this template.
 */
export class TablePrefixGuard extends Construct {
  constructor(scope: Construct, id: string, { prefix }: { prefix: string }) {
    super(scope, id)
    // Not the prefix alone: an empty value of --parameters counts as none.
    const start = `${prefix}mqtt`
    const name = logicalIdOf(this)
    const parameter = new CfnParameter(this, 'Start', {
      default: start,
      description: 'How the names of the tables of this stack begin. It keeps the value of the first deployment.',
    })
    parameter.overrideLogicalId(name)
    const rule = new CfnRule(this, 'Rule', {
      assertions: [
        {
          assert: Fn.conditionEquals(parameter.valueAsString, start),
          assertDescription:
            `This template's tables begin with ${start}, those of the deployed stack do not: it would go on with other tables, and leave ` +
            `the old ones behind. Give the option prefix of the last deployment. If you do want other tables: --parameters ${name}=${start}`,
        },
      ],
    })
    rule.overrideLogicalId(`${name}Unchanged`)
  }
}

/** `TablesBeginWith`; in an app of somebody else with the construct's id before it, so that one stack may have two backends. */
const logicalIdOf = (guard: TablePrefixGuard): string => {
  const backend = guard.node.scopes.slice(0, -2).at(-1)!
  return `${Stack.isStack(backend) || backend.node.id === 'Default' ? '' : backend.node.id.replaceAll(/[^A-Za-z0-9]/g, '')}TablesBeginWith`
}
