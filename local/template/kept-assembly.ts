/**
 * Keeps synthesized assemblies: a start with the same conf, options and sources as an earlier one need not synthesize. An assembly
 * lies in a directory that is named by a hash of what it was made from, beside the hashes of its files.
 */
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { DEFAULT_CONF, readConf } from '../../lib/conf/conf-file.ts'
import { CACHE } from '../cache-directory.ts'
import { type Assembly, synthesize } from './assembly.ts'
import { appStamp } from './cdk-app.ts'

const ROOT = join(import.meta.dirname, '..', '..')
export const ASSEMBLIES = join(CACHE, 'assemblies')
const RECORD = 'kept.json'
/** Changes whenever the way in which assemblies are kept changes. */
const FORMAT = 2
/** An assembly that nobody started for so long is deleted. Milliseconds. */
const FORGOTTEN_MS = 30 * 24 * 3_600_000

/** Beside a kept assembly. */
interface Kept {
  /** What the app said on stderr: warnings about the conf. */
  readonly said: readonly string[]
  /** File -> hash. */
  readonly files: Readonly<{ [file: string]: string }>
}

type Context = Readonly<{ [option: string]: unknown }>

/**
 * A kept assembly, or a new one, which is kept. Where `cache` cannot be written nothing is kept, and that is no error.
 * @throws BackendError as {@link synthesize} does
 */
export async function assemblyFor(context: Context, log: (line: string) => void, cache = ASSEMBLIES): Promise<Assembly> {
  const directory = join(cache, keyOf(context))
  const record = recordIn(directory)
  if (record !== undefined) {
    for (const line of record.said) log(line)
    return kept(directory)
  }
  const said: string[] = []
  const saying = (line: string) => {
    said.push(line)
    log(line)
  }
  if (!isWritable(cache)) return await synthesize(context, saying)
  rmSync(directory, { recursive: true, force: true })
  return await keep(await synthesize(context, saying, cache), directory, said)
}

function isWritable(cache: string): boolean {
  try {
    mkdirSync(cache, { recursive: true, mode: 0o700 })
    accessSync(cache, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** The hash of everything that decides what the app makes. The app itself refuses a conf that cannot be read. */
function keyOf({ conf = join(ROOT, DEFAULT_CONF), ...options }: Context): string {
  const made = [FORMAT, appStamp(), parsed(resolve(`${conf}`)), Object.entries(options).sort()]
  return createHash('sha256').update(JSON.stringify(made)).digest('hex')
}

function parsed(conf: string): unknown {
  try {
    return readConf(conf)
  } catch {
    return conf
  }
}

/** Undefined if nothing is kept there, or not what was kept: somebody cleaned up, or a disk was full. */
function recordIn(directory: string): Kept | undefined {
  try {
    const record: Kept = JSON.parse(readFileSync(join(directory, RECORD), 'utf8'))
    if (JSON.stringify(hashesOf(directory)) !== JSON.stringify(record.files)) return undefined
    utimesSync(directory, new Date(), new Date())
    return record
  } catch {
    return undefined
  }
}

function hashesOf(directory: string): { [file: string]: string } {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter((name) => name !== RECORD && statSync(join(directory, name)).isFile())
  return Object.fromEntries(
    files.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    ]),
  )
}

/** A complete assembly is renamed into its place, so nobody finds a half one. If another process was first, its assembly is used. */
async function keep(made: Assembly, directory: string, said: readonly string[]): Promise<Assembly> {
  // Below our package.json Node would take the functions' index.js for ES modules; Lambda takes them for CommonJS.
  writeFileSync(join(made.directory, 'package.json'), '{ "type": "commonjs" }')
  const record: Kept = { said, files: hashesOf(made.directory) }
  try {
    writeFileSync(join(made.directory, RECORD), JSON.stringify(record))
    renameSync(made.directory, directory)
  } catch {
    if (recordIn(directory) === undefined) return made
    await made.remove()
  }
  forgetOld(join(directory, '..'))
  return kept(directory)
}

const kept = (directory: string): Assembly => ({ directory, remove: async () => undefined })

function forgetOld(cache: string): void {
  for (const name of readdirSync(cache)) {
    const directory = join(cache, name)
    if (Date.now() - statSync(directory).mtimeMs > FORGOTTEN_MS) rmSync(directory, { recursive: true, force: true })
  }
}
