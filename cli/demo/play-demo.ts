/** Runs the steps on a local stack that is started for them. */
import { startLocalStack } from '../../local/stack.ts'
import { Stage } from './demo-stage.ts'
import { DURABLE_STEPS } from './durable-steps.ts'
import { localGround } from './local-ground.ts'
import { STEPS } from './page-steps.ts'

/** @returns exit status: 0 if every check held */
export async function playDemo(dynamodb: 'embedded' | 'local'): Promise<number> {
  const stack = await startLocalStack({ dynamodb })
  const ground = localGround(stack)
  const say = (text: string) => void process.stdout.write(text)
  const stage = new Stage(ground, say)
  try {
    for (const step of [...STEPS, ...DURABLE_STEPS]) await step(stage)
  } finally {
    await stage.close()
    ground.database.destroy()
    await stack.close()
  }
  say(`\n${stage.held} of ${stage.checked} checks held\n`)
  return stage.held === stage.checked ? 0 : 1
}
