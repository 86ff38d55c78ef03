/**
 * The append-only file that a data directory keeps beside DynamoDB's tables: one JSON object a line. A line is written before
 * anybody gets an acknowledgement of what it says. It is handed to the operating system without fsync: it survives SIGKILL of this
 * process, but when the machine goes down the last seconds may be missing.
 */
import { appendFileSync, closeSync, constants, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BackendError } from '../../lambda/core/errors.ts'
import { type Append, type Entry, KeptState } from './kept-state.ts'

export interface Journal {
  readonly append: Append
  /** What the file said when it was opened. */
  readonly kept: KeptState
  close(): void
}

const fileIn = (dataDir: string): string => join(dataDir, 'iot-core.jsonl')

/**
 * Opens the directory's journal, or begins one. The file is first rewritten without entries that no longer matter.
 * @param onUnwritable told before an entry that cannot be written (the disk is full) throws
 * @throws BackendError `data-dir` where it is there and cannot be read, or cannot be written
 */
export function openJournal(dataDir: string, onUnwritable?: (error: BackendError) => void): Journal {
  const kept = new KeptState()
  const file = fileIn(dataDir)
  for (const [i, entry] of readJournal(dataDir).entries()) apply(kept, entry, `${file}:${i + 1}`)
  const fd = rewrite(file, kept)
  let isOpen = true
  return {
    kept,
    append(entry) {
      if (!isOpen) return
      try {
        appendFileSync(fd, lineOf(entry))
      } catch (cause) {
        const error = unwritable(file, cause)
        onUnwritable?.(error)
        throw error
      }
    },
    close() {
      if (isOpen) closeSync(fd)
      isOpen = false
    },
  }
}

/** Without the entries that no longer matter. */
function rewrite(file: string, kept: KeptState): number {
  try {
    const fd = openNew(`${file}.new`)
    appendFileSync(fd, [...kept.entries()].map(lineOf).join(''))
    renameSync(`${file}.new`, file)
    return fd
  } catch (error) {
    throw unwritable(file, error)
  }
}

function apply(kept: KeptState, entry: Entry, where: string): void {
  try {
    kept.apply(entry)
  } catch {
    throw unreadable(where, `it says ${JSON.stringify(entry.did)} and not of what`)
  }
}

/** All entries of a journal; none where there is no file. Throws as {@link openJournal}. */
export function readJournal(dataDir: string): Entry[] {
  const lines = read(fileIn(dataDir)).split('\n')
  // After the last line break: nothing, or a line whose writer was killed while it wrote. Nobody got an acknowledgement of it.
  lines.pop()
  return lines.map((line, i) => entryOf(line, `${fileIn(dataDir)}:${i + 1}`))
}

const lineOf = (entry: Entry): string => `${JSON.stringify(entry)}\n`

/** Makes a new file for its owner alone. A link that somebody put under its name is removed, never followed. */
function openNew(file: string): number {
  rmSync(file, { force: true })
  return openSync(file, 'ax', 0o600)
}

function read(file: string): string {
  try {
    return readAll(openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return ''
    throw unreadable(file, code === 'ELOOP' ? 'it is a symbolic link, wanted a file' : message)
  }
}

function readAll(fd: number): string {
  try {
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/** JSON.parse's own message quotes the line, which may hold a payload (I10). */
function entryOf(line: string, where: string): Entry {
  try {
    const entry = JSON.parse(line) as Entry | null
    if (typeof entry?.did === 'string') return entry
  } catch {
    // said below
  }
  throw unreadable(where, `a line of ${line.length} characters, wanted a JSON object with "did"`)
}

const unwritable = (file: string, cause: unknown) => new BackendError('data-dir', `cannot write ${file}: ${(cause as Error).message}`)

const unreadable = (where: string, why: string) => new BackendError('data-dir', `cannot read ${where}: ${why}`)
