/** `npm run deploy:try`: the stack's life on an AWS engine that is not ours. */
import { exits, newScript, runCommand } from '../../cli/command-line/run-command.ts'
import { installEngine } from './engine-install.ts'
import { prepareGround } from './ground.ts'
import { STEPS } from './trial-steps.ts'

const ABOUT = `Bootstraps, deploys, redeploys, destroys and imports the stack with the repository's own CDK CLI on an AWS engine that is not ours
(ministack, installed under .cache at the first run), and looks at the rows that come of an MQTT client there. docs/testing.md says what the engine does
otherwise than AWS. Needs Python 3.10 or newer with the module venv.`

const flags = () =>
  newScript('deploy:try', ABOUT).addHelpText(
    'after',
    '\nExit status: 0 everything held or it was skipped, 1 something did not, 2 wrong use.',
  )

const say = (line: string) => void process.stdout.write(`${line}\n`)

async function deployTry(): Promise<number> {
  const engine = installEngine()
  if ('missing' in engine) {
    say(`skipped: ${engine.missing}`)
    return 0
  }
  const started = Date.now()
  const ground = await prepareGround(engine.python)
  try {
    for (const { name, run } of STEPS) {
      const before = Date.now()
      const told = await run(ground)
      say(`${((Date.now() - before) / 1000).toFixed(1).padStart(5)} s  ${name}`)
      if (typeof told === 'string') say(`         ${told}`)
    }
    say(`everything held; ${Math.round((Date.now() - started) / 1000)} s`)
    return 0
  } catch (error) {
    say((error as Error).stack ?? `${error}`)
    return 1
  } finally {
    await ground.close()
  }
}

await runCommand(flags().action(exits(deployTry)), process.argv.slice(2))
