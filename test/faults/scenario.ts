/** What a function meets: rows that stand, clients that are there, and the events it gets. */

import type { HookConfig, HookName } from '../../lambda/core/hooks.ts'
import { TABLE_NAMES, type TableName } from '../../lambda/core/tables.ts'
import type { Engine, Tables } from '../support/engines.ts'
import { World, type WorldOptions } from '../support/world.ts'
import type { Connectivity } from './data-plane.ts'
import { MapDatabase, type Snapshot } from './database.ts'
import type { Leave } from './fault.ts'
import { clientOf } from './wire.ts'

/** As long as two or three messages of a slow client take. Milliseconds. */
export const SLOW = 11_000

export interface HookEvent {
  readonly hook: HookName
  readonly event: object
}

export interface Given {
  /** One batch for the scenario's hook. */
  readonly events: readonly object[]
  /** Comes right after the first receive, whatever became of that: it delivers what somebody was not reached with. */
  readonly next?: HookEvent
  /** What another writer may bring in between, by name. */
  readonly rivals?: Readonly<Record<string, HookEvent>>
  /** Payloads that a client got natively, or says it has. */
  readonly had?: Readonly<Record<string, readonly string[]>>
}

export interface Scenario {
  readonly name: string
  readonly hook: HookName
  readonly options?: WorldOptions
  /** What any fault may leave: something that is only tried once. */
  readonly leaves?: readonly Leave[]
  /** Its messages are on no queue: who cannot be reached goes without. */
  readonly unqueued?: true
  /** Clients that acknowledge so slowly that a time slice is over after two messages. */
  readonly slow?: readonly string[]
  /** Makes what stands before, with handlers that nothing disturbs. */
  given(world: World): Promise<Given>
}

/** A scenario that stands: to be set up anew for every run. */
export interface Setting extends Given {
  readonly scenario: Scenario
  readonly snapshot: Snapshot
  /** Milliseconds. */
  readonly now: number
  readonly connectivity: Connectivity
  readonly configs: readonly HookConfig[]
  readonly retainIndex: boolean
}

const TABLES = Object.fromEntries(TABLE_NAMES.map((name) => [name, name])) as Record<TableName, string> satisfies Tables

export async function settingOf(scenario: Scenario): Promise<Setting> {
  const database = new MapDatabase()
  const world = new World({ name: 'embedded', url: '', client: clientOf(database) } satisfies Engine, TABLES, scenario.options)
  const given = await scenario.given(world)
  const connections = [...world.devices].flatMap(([id, { connection }]) => (connection === undefined ? [] : [[id, connection] as const]))
  const granted = [...world.devices].flatMap(([id, { granted }]) => (granted === undefined ? [] : [[id, granted] as const]))
  return {
    ...given,
    scenario,
    snapshot: await database.rows(),
    now: world.now,
    connectivity: { connections: new Map(connections), granted: new Map(granted), retained: new Map(world.native) },
    configs: world.configs,
    retainIndex: world.retainIndex,
  }
}
