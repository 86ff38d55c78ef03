/** A soak from beginning to end: havoc, calm, redrive, last subscribers, account. */

import { Play, type Surroundings } from './play.ts'
import type { SoakOptions } from './soak-flags.ts'
import type { SoakReport } from './soak-report.ts'
import { accountOf, lastSubscribers, presenceOf } from './soak-verdict.ts'

/** Rejects with the signal's reason, or where something stands in the way of a result. */
export async function soak(options: SoakOptions, surroundings: Surroundings): Promise<SoakReport> {
  const play = new Play(options, surroundings)
  let report: SoakReport | undefined
  try {
    report = await reportOn(play)
    return report
  } finally {
    await play.close({ keepData: report !== undefined && report.violations.length > 0 })
  }
}

async function reportOn(play: Play): Promise<SoakReport> {
  const started = performance.now()
  await play.start()
  await play.misbehave()
  await play.calm()
  const redrive = await play.redrive()
  const presence = await presenceOf(play)
  const pendingBeforeLast = await lastSubscribers(play)
  const account = await accountOf(play)
  const violations = [...account.violations, ...presence]
  const concerned = [...new Set(violations.flatMap(({ messages }) => messages))]
  return {
    ...account,
    violations,
    options: play.options,
    publishSeconds: play.publishSeconds,
    seconds: (performance.now() - started) / 1000,
    ...play.havoc,
    restarts: play.stage.restarts,
    flaps: play.flaps,
    misbehaviours: play.stage.misbehaviours,
    retainedDeletes: play.published.deletes,
    ...redrive,
    pendingBeforeLast,
    histories: Object.fromEntries(concerned.map((n) => [n, play.history.of(n)])),
    ...(violations.length > 0 ? { dataDir: play.stage.dataDir } : {}),
  }
}
