// Which suites `npm run test:fast` has (jest --filter): those that start no process and no thread, by what they import, and
// that do not say @slow in their first comment.
const { buildSync } = require('esbuild')
const { readFileSync } = require('node:fs')
const { relative } = require('node:path')
const { isSlow } = require('./slow.cjs')

const STARTS = /^(node:)?(child_process|worker_threads|cluster)$/

module.exports = async (tests) => {
  const { metafile } = buildSync({
    entryPoints: tests,
    outdir: 'unused',
    write: false,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    metafile: true,
    logLevel: 'silent',
  })
  const startsSomething = (file, met = new Set()) => {
    if (met.has(file)) return false
    met.add(file)
    return metafile.inputs[file].imports.some(({ path, external }) => (external ? STARTS.test(path) : startsSomething(path, met)))
  }
  const nameOf = (test) => relative(process.cwd(), test).replaceAll('\\', '/')
  return { filtered: tests.filter((test) => !isSlow(readFileSync(test, 'utf8')) && !startsSomething(nameOf(test))) }
}
