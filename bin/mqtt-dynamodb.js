#!/usr/bin/env node
// `npx mqtt-dynamodb`: the built command line in the package; in a checkout the sources, for which tsx is registered first.
import { existsSync } from 'node:fs'

const SOURCES = new URL('./mqtt-dynamodb.ts', import.meta.url)
const BUILT = new URL('../dist/bin/mqtt-dynamodb.mjs', import.meta.url)
const WANTED = 20

if (Number.parseInt(process.versions.node, 10) < WANTED) {
  process.stderr.write(`mqtt-dynamodb: Node is ${process.versions.node}, wanted ${WANTED} or newer\n`)
  process.exitCode = 2
} else if (existsSync(SOURCES)) {
  const { register } = await import('tsx/esm/api')
  register()
  await import(SOURCES.href)
} else {
  await import(BUILT.href)
}
