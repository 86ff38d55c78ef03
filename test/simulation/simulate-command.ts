/** `npm run simulate`: campaigns of histories, or one history with all that happened in it. */
import { Progress } from '../../cli/command-line/progress.ts'
import { exits, runCommand, wrongUse } from '../../cli/command-line/run-command.ts'
import { type Campaign, campaign } from './campaign.ts'
import { FAULT_NAMES } from './faults.ts'
import { type Outcome, runHistory } from './history.ts'
import { formatPlan, type Plan, parsePlan, planOf } from './plan.ts'
import { shrink } from './shrink.ts'
import { type SimulateFlags, simulateFlags } from './simulation-flags.ts'

await runCommand(simulateFlags().action(exits(simulate)), process.argv.slice(2))

async function simulate({ seed: plan = planOf(1), runs, jobs, tries, verbose }: SimulateFlags): Promise<number> {
  if (runs === undefined) return one(plan, { tries, verbose: verbose === true })
  if (formatPlan(plan) !== `${plan.seed}`) throw wrongUse(`--runs is given with --seed ${formatPlan(plan)}, wanted a whole number`)
  return many(plan.seed, { runs, jobs, tries })
}

async function one(plan: Plan, { tries, verbose }: { tries: number; verbose: boolean }): Promise<number> {
  const outcome = await runHistory(plan, { verbose })
  say(`${outcome.log.join('\n')}\n`)
  if (outcome.violations.length === 0) return say(`seed ${formatPlan(plan)}: nothing is violated\n`)
  if (plan.steps === undefined && tries > 0) await tellShortest(outcome, tries)
  else tellViolations(outcome)
  return 1
}

async function many(seed: number, { runs, jobs, tries }: { runs: number; jobs: number; tries: number }): Promise<number> {
  const progress = new Progress('simulate')
  progress.begin('histories', runs)
  const done = await campaign({ seed, runs }, jobs, ({ runs: soFar, findings, fresh }) => {
    for (const { plan, violation } of fresh) progress.say(`seed ${plan}: ${violation}`)
    progress.at(soFar, `${findings} violations`)
  })
  progress.end()
  tellCovered(done, progress.seconds)
  for (const [kind, findings] of done.findings) {
    say(`\n${findings.length} times: ${kind}\n`)
    for (const { plan, violation } of findings.slice(0, 5)) say(`  seed ${plan}: ${violation}\n`)
  }
  // One of each kind is made shorter, the rest can be replayed.
  const plans = new Set([...done.findings.values()].map(([first]) => first!.plan))
  if (tries > 0) for (const plan of plans) await tellShortest(await runHistory(parsePlan(plan)), tries)
  return done.findings.size === 0 ? 0 : 1
}

async function tellShortest(found: Outcome, tries: number): Promise<void> {
  if (tries === 0) return tellViolations(found)
  const progress = new Progress('simulate')
  progress.begin('looking for a shorter history', tries)
  const shortest = await shrink(found, { tries, progress: ({ steps }, tried) => progress.at(tried, `${steps.length} steps`) })
  progress.end()
  say(`\nThe shortest history found, of ${found.steps.length} steps ${shortest.steps.length} are left:\n${shortest.log.join('\n')}\n`)
  tellViolations(shortest)
}

function tellViolations({ plan, violations }: Outcome): void {
  say(
    `\nViolated:\n${violations.map((violation) => `  ${violation}`).join('\n')}\nReplay: npm run simulate -- --seed ${formatPlan(plan)}\n`,
  )
}

function tellCovered({ runs, coverage, interleavings, findings }: Campaign, seconds: number): void {
  const { counts, states } = coverage
  const count = (what: string) => (counts.get(what) ?? 0).toLocaleString('en')
  const all = (prefix: string) =>
    [...counts]
      .filter(([what]) => what.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, n]) => `  ${what.slice(prefix.length).padEnd(22)} ${n.toLocaleString('en')}`)
      .join('\n')
  const never = FAULT_NAMES.filter((name) => !counts.has(`fault: ${name}`))
  say(`${runs.toLocaleString('en')} histories in ${seconds.toFixed(0)} s (${(runs / seconds).toFixed(0)}/s), ${findings.size} kinds of violations
${count('messages')} messages, ${count('operations')} operations, ${count('operations chosen among several')} of them chosen among several
${interleavings.toLocaleString('en')} interleavings, ${states.size} states of topic rows, ${count('dead letters redriven')} dead letters redriven
histories
${all('histories: ')}
events handled
${all('handled: ')}
faults injected
${all('fault: ')}${never.length === 0 ? '' : `\n  never: ${never.join(', ')}`}
`)
}

function say(text: string): 0 {
  process.stdout.write(text)
  return 0
}
