/** The AWS engine that deployments are tried on, ministack, in a Python environment of its own under .cache. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt')
const CACHE = join(import.meta.dirname, '..', '..', '.cache')

export type Installed = { readonly python: string } | { readonly missing: string }

/** Installs the engine where it is not yet; takes some ten seconds then. `missing`: why that cannot be. */
export function installEngine(): Installed {
  const python = suitablePython()
  if (python === undefined) return { missing: 'no Python 3.10 or newer with the module venv' }
  const version = createHash('sha256').update(readFileSync(REQUIREMENTS)).update(python.version).digest('hex').slice(0, 12)
  const place = join(CACHE, `deploy-engine-${version}`)
  if (!existsSync(place)) {
    // Another test file may do the same: whoever is first gives the folder its name.
    const own = `${place}-${process.pid}`
    const problem = run(python.program, '-m', 'venv', own) ?? run(join(own, 'bin', 'python'), ...INSTALL)
    if (problem === undefined && !existsSync(place)) renameSync(own, place)
    rmSync(own, { recursive: true, force: true })
    if (problem !== undefined) return { missing: problem }
  }
  return { python: join(place, 'bin', 'python') }
}

const INSTALL = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--require-hashes', '--only-binary=:all:', '-r', REQUIREMENTS]

const SUITABLE = 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print(sys.version)'

function suitablePython(): { program: string; version: string } | undefined {
  for (const program of ['python3', 'python']) {
    const { status, stdout } = spawnSync(program, ['-c', SUITABLE], { encoding: 'utf8' })
    if (status === 0) return { program, version: stdout }
  }
  return undefined
}

/** What went wrong, if anything. */
function run(program: string, ...args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 150_000 })
  if (status === 0) return undefined
  return `${program} ${args.slice(0, 3).join(' ')}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`
}
