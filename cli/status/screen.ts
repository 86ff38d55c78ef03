/** Status as a screen: tables, queues, and of a local run what it counts. */
import { table } from '../operate/operate-command.ts'
import type { Status } from './status-of.ts'

export const screen = ({ tables, queues, local }: Omit<Status, 'findings'>): string[] => [
  table(
    ['TABLE', 'STATE', 'ROWS (ABOUT)', 'BYTES (ABOUT)'],
    tables.map(({ name, status, items, bytes }) => [name, status ?? 'missing', items, bytes]),
  ),
  '',
  table(
    ['QUEUE', 'WAITING', 'IN FLIGHT', 'DEAD LETTERS'],
    queues.map(({ hook, waiting, inFlight, deadLetters }) => [hook, waiting, inFlight, deadLetters]),
  ),
  ...(local === undefined ? [] : ['', ...ofLocal(local)]),
]

const ofLocal = ({ conf, rows, connected, published, delivered, failed, deepest, oldestMs }: NonNullable<Status['local']>): string[] => [
  `conf ${conf}: ${rows} rows`,
  `${connected} clients connected; since the run began ${published} publishes stored, ${delivered} deliveries, ${failed} failures`,
  deepest === 0
    ? 'no publish has met a backlog'
    : `a publish has met about ${deepest} messages on its topic, the oldest of ${Math.round(oldestMs / 1000)} s`,
]
