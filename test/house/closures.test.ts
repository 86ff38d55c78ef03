/** How many files one must know to follow an event: what its hook's handler imports for its values, and what those import. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const LAMBDA = join(import.meta.dirname, '../../lambda')
const IMPORT = /^(?:import|export)\s+(type\s)?([^;'"]*?)\s*from\s*'(\.[^']+)'/gm

/** Of type imports nothing is left at run time. */
const isOfValues = (names: string) => !/^\{(?:\s*type [^,}]+,?)+\s*\}$/.test(names)

function closureOf(file: string, known = new Set<string>()): Set<string> {
  if (known.has(file)) return known
  known.add(file)
  for (const [, ofTypes, names, from] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    if (ofTypes === undefined && isOfValues(names!)) closureOf(join(dirname(file), from!), known)
  }
  return known
}

const filesOf = (hook: string) => [...closureOf(join(LAMBDA, 'hooks', `${hook}.ts`))].map((file) => file.slice(LAMBDA.length + 1))

it('a publish enters 56 files, and none of those that deliver', () => {
  const files = filesOf('message-publish')
  expect(files.length).toBeLessThanOrEqual(56)
  expect(files).toContain('adapters/tables/topic-ids.ts')
  expect(files.filter((file) => /dispatch|drain|push|sender/.test(file))).toEqual([])
})

it('a subscribe enters 80 files', () => {
  expect(filesOf('session-subscribed').length).toBeLessThanOrEqual(80)
})
