/** The command line: `mqtt-dynamodb COMMAND`. */
import { programFor } from '../cli/command-line/all-commands.ts'
import { runCommand } from '../cli/command-line/run-command.ts'

// On Node 20 the SDK would write seven lines before every answer.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'

const args = process.argv.slice(2)
await runCommand(await programFor(args), args)
