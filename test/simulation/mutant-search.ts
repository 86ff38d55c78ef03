/** Builds the product with a mutant in it, and looks for the history that shows it. */
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build } from 'esbuild'
import { HISTORIES, type Mutant } from './mutants.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Inside the project, so that packages are found. */
const BUILDS = join(ROOT, '.cache/mutants')

export interface Found {
  /** What showed the mutant, absent if nothing did. */
  readonly violation?: string
  readonly histories: number
}

export interface Search {
  /** Of the first history. */
  readonly seed: number
  /** Histories, instead of the mutant's own number. */
  readonly runs?: number | undefined
}

/** @throws Error if the code that the mutant replaces is not there exactly once */
export async function search(mutant: Mutant, { seed, runs = mutant.histories ?? HISTORIES }: Search): Promise<Found> {
  mkdirSync(BUILDS, { recursive: true })
  const directory = mkdtempSync(join(BUILDS, 'build-'))
  try {
    const outfile = join(directory, 'worker.mjs')
    await build({
      entryPoints: [join(import.meta.dirname, 'mutant-worker.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      plugins: [{ name: 'mutant', setup: ({ onLoad }) => onLoad({ filter: /(lambda|cli).*\.ts$/ }, ({ path }) => mutated(mutant, path)) }],
      logLevel: 'silent',
    })
    return await run(outfile, [mutant.name, `${seed}`, `${runs}`])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function mutated({ name, file, from, to }: Mutant, path: string): { contents: string; loader: 'ts' } | undefined {
  if (relative(ROOT, path).replaceAll('\\', '/') !== placeOf(file)) return undefined
  const parts = readFileSync(path, 'utf8').split(from)
  if (parts.length !== 2)
    throw new Error(`mutant '${name}': ${placeOf(file)} has ${parts.length - 1} times what it replaces, wanted once:\n${from}`)
  return { contents: parts.join(to), loader: 'ts' }
}

const placeOf = (file: string): string => (file.startsWith('cli/') ? file : `lambda/${file}`)

const run = (file: string, args: readonly string[]): Promise<Found> =>
  new Promise((resolve, reject) => {
    const worker = fork(file, args, { execArgv: [] })
    let found: Found | undefined
    worker.on('message', (message) => {
      found = message as Found
    })
    worker.on('error', reject)
    worker.on('exit', (code) => (found === undefined ? reject(new Error(`the histories ended with ${code}`)) : resolve(found)))
  })

/** Some at once, in any order; told of each as it is known. */
export async function searchAll(
  mutants: readonly Mutant[],
  options: Search & { readonly jobs: number },
  told: (mutant: Mutant, found: Found) => void,
): Promise<void> {
  const left = [...mutants]
  const work = async () => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) told(mutant, await search(mutant, options))
  }
  await Promise.all(Array.from({ length: options.jobs }, work))
}
