/** `mqtt-dynamodb status`: is anything wrong? One screen, what is wrong first. */
import { exits } from './command-line/run-command.ts'
import { say, sayJson, stackCommand } from './operate/operate-command.ts'

const ABOUT = `Says whether anything is wrong: tables, queues, dead letters, rule errors; of a local run also its functions and backlog, on
AWS rules, event source mappings and alarms. What is wrong comes first. It reads no rows.`

export const command = () =>
  stackCommand('status', 'is anything wrong?', ABOUT)
    .addHelpText('after', 'Of status: exit status 1 also where something is wrong.')
    .action(
      exits(async ({ json, ...flags }) => {
        const [{ statusOf }, { findingLines, isWrong }, { screen }] = await Promise.all([
          import('./status/status-of.ts'),
          import('./operate/finding.ts'),
          import('./status/screen.ts'),
        ])
        const { findings, ...status } = await statusOf(flags)
        if (json) sayJson({ wrong: isWrong(findings), findings, ...status })
        else say([...findingLines(findings), '', ...screen(status)].join('\n'))
        return isWrong(findings) ? 1 : 0
      }),
    )
