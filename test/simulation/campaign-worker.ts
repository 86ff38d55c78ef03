/** A process of a campaign: runs the histories that it is told of. */
import { runSome, type Task } from './campaign.ts'

process.on('message', async (task: Task) => {
  process.send!(await runSome(task))
})
