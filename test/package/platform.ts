/** A version of Node with the package managers beside it, and fresh folders. */
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeLine } from './platforms-flags.ts'
import { ROOT, runIn } from './tarball.ts'

const CACHE = join(ROOT, '.cache', 'platforms')

/** What each Node is released with, and what its users install beside it. */
const MANAGERS: Readonly<Record<NodeLine, readonly string[]>> = {
  20: ['npm@10', 'pnpm@10', 'yarn@1'],
  22: ['npm@10', 'pnpm@12', 'yarn@1'],
  24: ['npm@11', 'pnpm@12', 'yarn@1'],
}

export interface Platform {
  /** Such as 22.23.3. */
  readonly version: string
  /** What is found first on PATH. */
  readonly PATH: string
  folder(name: string): string
  /** Runs a program there. @throws what it printed, if its status is not 0 */
  run(folder: string, program: string, ...args: string[]): Promise<string>
}

/** Installs what is not there yet. @param directory where its folders are made */
export async function platformOf(line: NodeLine, directory: string): Promise<Platform> {
  const home = join(CACHE, `node-${line}`)
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "private": true }')
  const modules = join(home, 'node_modules')
  const wanted = [`node@${line}`, ...MANAGERS[line]]
  if (!wanted.every((one) => existsSync(join(modules, one.split('@')[0]!)))) await runIn(home, {}, 'npm', 'install', ...wanted)
  const PATH = [join(modules, 'node', 'bin'), join(modules, '.bin'), process.env.PATH].join(':')
  const run: Platform['run'] = (folder, program, ...args) => runIn(folder, { PATH }, program, ...args)
  return {
    version: (await run(home, 'node', '--version')).trim().slice(1),
    PATH,
    folder: (name) => mkdtempSync(join(directory, `${name} `)),
    run,
  }
}
