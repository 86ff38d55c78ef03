/** One case: a scenario, what goes wrong at which call, and what must hold afterwards. */

import type { Tables } from '../support/engines.ts'
import { always, differences, drained, type Ending, order } from './checks.ts'
import { type Database, MapDatabase } from './database.ts'
import type { Injected, Leave } from './fault.ts'
import { type FinalState, finalState } from './final-state.ts'
import { type Scenario, type Setting, settingOf } from './scenario.ts'
import type { SdkCall } from './sdk-call.ts'
import { type Breakage, Stage } from './stage.ts'
import type { Clients } from './wire.ts'

/** A scenario with how it ends when nothing goes wrong. */
export interface Prepared {
  readonly setting: Setting
  readonly calls: readonly SdkCall[]
  readonly ending: Ending
  /** By rival: how it ends with the rival before, and after. */
  readonly rivalled: ReadonlyMap<string, readonly Ending[]>
  /** Final states by their rows. */
  readonly states: Map<string, FinalState>
  /** What a fresh subscriber finds wrong, by the rows that it met: most faults end in the same. */
  readonly finished: Map<string, readonly string[]>
}

/** Where the cases run. */
export interface Ground {
  readonly clients: Clients
  /** Tables with just these rows. */
  readonly fresh: (setting: Setting) => Promise<{ readonly database: Database; readonly tables?: Tables }>
}

export interface Verdict {
  readonly violations: readonly string[]
  readonly history: readonly string[]
  readonly calls: number
  /** Names that a disturbed run left without a message, for the next reader to clean. */
  readonly dangling: number
}

export const onMaps = (clients: Clients): Ground => ({ clients, fresh: async ({ snapshot }) => ({ database: new MapDatabase(snapshot) }) })

/** @throws Error where the scenario does not hold without faults either */
export async function prepare(scenario: Scenario, ground: Ground): Promise<Prepared> {
  const setting = await settingOf(scenario)
  const stage = await stageFor(setting, ground)
  await stage.arrive([])
  const calls = stage.all[0]!.calls
  await stage.quiet()
  const ending = await endingOf(stage)
  const violations = [...always(stage, ending, [ending]), ...order(ending), ...(await finish(stage, ending))]
  if (stage.disturbed) violations.push(`fails without a fault: ${stage.logs.at(-1)}`)
  if (violations.length > 0) throw new Error([`${scenario.name}, without a fault:`, ...stage.history, ...violations].join('\n'))
  const rivalled = new Map<string, Ending[]>()
  for (const name of Object.keys(setting.rivals ?? {})) {
    rivalled.set(name, [
      await inOrder(setting, ground, ['rival', 'events'], name),
      await inOrder(setting, ground, ['events', 'rival'], name),
    ])
  }
  return { setting, calls, ending, rivalled, states: new Map(), finished: new Map() }
}

async function inOrder(setting: Setting, ground: Ground, all: readonly ('rival' | 'events')[], rival: string): Promise<Ending> {
  const stage = await stageFor(setting, ground)
  for (const one of all) {
    if (one === 'rival') await stage.rivalHandled(rival)
    else await stage.arrive([])
    await stage.quiet()
  }
  return endingOf(stage)
}

/** `again`: the event is received once more afterwards, as itself or as a copy. */
export interface Case {
  readonly faults: readonly Injected[]
  readonly again?: 'itself' | 'a copy'
}

export async function runCase(
  prepared: Prepared,
  ground: Ground,
  { faults, again }: Case,
  how: { verbose?: boolean; breakage?: Breakage } = {},
): Promise<Verdict> {
  const stage = await stageFor(prepared.setting, ground)
  stage.verbose = how.verbose ?? false
  stage.breakage = how.breakage
  await stage.arrive(faults)
  await stage.quiet()
  if (again === 'itself') await stage.receivedAgain()
  if (again === 'a copy') await stage.copyHandled()
  await stage.quiet()
  const rows = await stage.database.rows()
  const found = JSON.stringify(rows)
  const state = prepared.states.get(found) ?? finalState(rows)
  prepared.states.set(found, state)
  const ending = { state, received: [...stage.dataPlane.received] }
  const finished = (how.verbose ? undefined : prepared.finished.get(found)) ?? (await finish(stage, ending))
  if (how.breakage === undefined) prepared.finished.set(found, finished)
  const violations = [...judged(prepared, stage, ending, faults), ...finished]
  return {
    violations: [...new Set(violations)],
    history: stage.history,
    calls: stage.all.reduce((sum, process) => sum + process.calls.length, 0),
    dangling: [...ending.state.named.keys()].filter((id) => !ending.state.stored.has(id)).length,
  }
}

function judged({ ending: undisturbed, rivalled }: Prepared, stage: Stage, ending: Ending, faults: readonly Injected[]): string[] {
  const { scenario } = stage.setting
  // The other receive has deleted the event: what fails of this one, nobody repeats.
  const abandoned: Leave[] = faults.length > 1 && faults.some(({ fault }) => fault.name.startsWith('received again')) ? ['again'] : []
  // What comes next finds the client reachable again.
  const reached = stage.setting.next !== undefined && faults.every(({ fault }) => fault.name === '404')
  const leaves = [...(reached ? [] : faults.flatMap(({ fault }) => fault.leaves)), ...(scenario.leaves ?? []), ...abandoned]
  const rival = faults.map(({ fault }) => /^rival: (.*)/.exec(fault.name)?.[1]).find(Boolean)
  const orders = rival === undefined ? [undisturbed] : rivalled.get(rival)!
  const each = orders.map((wanted) => differences(ending, wanted, leaves))
  // A message that comes after a newer one was delivered is late, not out of order.
  const late = (faults.some(({ fault }) => fault.everyReceive) || stage.setting.next !== undefined) && scenario.hook === 'message.publish'
  // What one of them did not take comes to another after younger ones.
  const compete = scenario.leaves?.includes('to either') === true
  const refused = faults.some(({ fault }) => /^(403|404|413)/.test(fault.name)) || rival !== undefined || late || compete
  // The order that comes nearest.
  const different = each.toSorted((a, b) => a.length - b.length)[0]!
  return [...always(stage, ending, orders, leaves), ...(refused ? [] : order(ending)), ...different]
}

async function stageFor(setting: Setting, ground: Ground): Promise<Stage> {
  await ground.clients.renew()
  return new Stage(setting, { clients: ground.clients, ...(await ground.fresh(setting)) })
}

const endingOf = async (stage: Stage): Promise<Ending> => ({
  state: finalState(await stage.database.rows()),
  received: [...stage.dataPlane.received],
})

const LAST = 'last'
/** Longer than any lease. Milliseconds. */
const LATER = 600_000
const FILTERS_AT_ONCE = 8

/** A client that was never there subscribes to every topic. */
async function finish(stage: Stage, pending: Ending): Promise<string[]> {
  const { setting, clock } = stage
  const { topics } = pending.state
  if (!setting.configs.some(({ hook }) => hook === 'session.subscribed') || topics.length === 0) return []
  clock.passTo(clock.now() + LATER)
  stage.dataPlane.connected.add(LAST)
  // Else its SUBSCRIBE settles what others have got.
  stage.dataPlane.tellsConnections = false
  for (let i = 0; i < topics.length; i += FILTERS_AT_ONCE) {
    const event = {
      clientId: LAST,
      timestamp: clock.now(),
      sessionIdentifier: LAST,
      eventType: 'subscribed',
      topics: topics.slice(i, i + FILTERS_AT_ONCE),
    }
    await stage.handled({ hook: 'session.subscribed', event })
    await stage.quiet()
  }
  const ending = await endingOf(stage)
  const mine = ending.received.filter(({ clientid }) => clientid === LAST)
  return [...drained(pending.state, ending, LAST, setting), ...order({ ...ending, received: mine })]
}
