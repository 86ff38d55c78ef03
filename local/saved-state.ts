/** What a data directory keeps beside DynamoDB's tables: retained messages, events that nobody handled yet, dead letters. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackendError } from '../lambda/core/errors.ts'
import type { DeadLetter, Queue } from './functions/queue.ts'
import type { RetainedMessages, SavedRetainedMessage } from './mqtt/retained-messages.ts'

interface SavedState {
  readonly retained: readonly SavedRetainedMessage[]
  readonly queues: Readonly<Record<string, { readonly waiting: readonly string[]; readonly deadLetters: readonly DeadLetter[] }>>
}

const fileIn = (dataDir: string): string => join(dataDir, 'iot-core.json')

/** @throws BackendError `data-dir` where the file is there and cannot be read */
export function restoreState(dataDir: string, retained: RetainedMessages, queues: readonly Queue[]): void {
  const saved = read(fileIn(dataDir))
  if (!saved) return
  retained.restore(saved.retained)
  for (const queue of queues) {
    const { waiting = [], deadLetters = [] } = saved.queues[queue.name] ?? {}
    for (const body of waiting) queue.send(body)
    queue.deadLetters.push(...deadLetters)
  }
}

export function saveState(dataDir: string, retained: RetainedMessages, queues: readonly Queue[]): void {
  const state: SavedState = {
    retained: retained.save(),
    queues: Object.fromEntries(queues.map((queue) => [queue.name, queue.save()])),
  }
  writeFileSync(fileIn(dataDir), JSON.stringify(state))
}

function read(file: string): SavedState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SavedState
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new BackendError('data-dir', `cannot read ${file}: ${(error as Error).message}`)
  }
}
