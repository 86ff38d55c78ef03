/** A process of a campaign: runs the histories that it is told of. */
import { runSome, type Task } from './campaign.ts'

// Conditions fail all the time, and nobody looks where.
Error.stackTraceLimit = 0

process.on('message', async (task: Task) => {
  // The campaign may have been stopped meanwhile.
  process.send!(await runSome(task), () => {})
})
process.on('disconnect', () => process.exit())
