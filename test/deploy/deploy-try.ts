/** `npm run deploy:try`: a whole life of the stack on an AWS engine that is not ours. Exit status 1: something did not hold. */
import { installEngine } from './engine-install.ts'
import { prepareGround } from './ground.ts'
import { STEPS } from './trial-steps.ts'

const say = (line: string) => void process.stdout.write(`${line}\n`)

async function main(): Promise<number> {
  const engine = installEngine()
  if ('missing' in engine) {
    say(`skipped: the engine cannot be installed: ${engine.missing}`)
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

process.exitCode = await main()
