/** A folder that a command fills. */
import { accessSync, constants, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { wrongUse } from './run-command.ts'

/**
 * Makes nothing yet, so that a command that fails later leaves nothing.
 * @param name of the flag or argument
 * @throws BackendError `usage` for a folder that has files, or can be neither written nor made
 */
export function refuseUsed(folder: string, name: string): void {
  orWrongUse(folder, name, () => {
    const there = firstThere(resolve(folder))
    const entries = readdirSync(there)
    accessSync(there, constants.W_OK)
    // A new repository may hold its `.git`.
    const first = there === resolve(folder) ? entries.find((entry) => entry !== '.git') : undefined
    if (first !== undefined) throw wrongUse(`${name} is ${JSON.stringify(folder)}, which has ${first}, wanted an empty folder`)
  })
}

/**
 * One level after the other: where a file system answers ENOENT (as /proc does), Node's `recursive` never comes back.
 * @throws BackendError `usage` where it cannot be made
 */
export function makeFolder(folder: string, name: string): void {
  const missing: string[] = []
  for (let at = resolve(folder); !existsSync(at); at = dirname(at)) missing.unshift(at)
  orWrongUse(folder, name, () => missing.forEach((one) => void mkdirSync(one)))
}

/** The folder, or the nearest above it that is there. */
const firstThere = (folder: string): string => (existsSync(folder) ? folder : firstThere(dirname(folder)))

function orWrongUse(folder: string, name: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall === undefined) throw error
    throw wrongUse(`${name} is ${JSON.stringify(folder)}, wanted a folder that can be written (${code})`)
  }
}
