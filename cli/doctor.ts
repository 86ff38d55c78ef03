/** `mqtt-dynamodb doctor`: what a first week needs, each finding with what to do. */
import { exits } from './command-line/run-command.ts'
import { whole } from './command-line/values.ts'
import { say, sayJson, stackCommand } from './operate/operate-command.ts'

const ABOUT = `Checks what a first week needs: tables, time to live, and for some clients whether presence and subscriptions are what IoT Core
says. On AWS also bootstrap, Lambda's concurrency, IoT Core's logging and quotas, event source mappings, roles of rules, and who is told of alarms. Each finding
says what to do. --fix does what is safe: it switches time to live on.`

export const command = () =>
  stackCommand('doctor', 'what is missing, and what to do', ABOUT)
    .option('--clients <N>', 'so many clients of mqtt_client are compared with IoT Core, two requests each', whole(0, 100), 5)
    .option('--fix', 'do what is safe; with a stack of -c ttl=false do not')
    .addHelpText('after', 'Of doctor: exit status 1 also where something is wrong.')
    .action(
      exits(async ({ json, clients, fix = false, ...flags }) => {
        const [{ examine }, { findingLines, isWrong }] = await Promise.all([import('./doctor/examine.ts'), import('./operate/finding.ts')])
        const findings = await examine(flags, { clients, fix })
        if (json) sayJson({ wrong: isWrong(findings), findings })
        else say(findingLines(findings).join('\n'))
        return isWrong(findings) ? 1 : 0
      }),
    )
