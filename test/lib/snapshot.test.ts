/**
 * The template of the page's conf, as it is committed: a change to infrastructure is read in review.
 * After a change that is meant: `npm run snapshot`, and read the diff.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pageTable } from '../support/page-conf.ts'
import { backend } from '../support/synthesized.ts'

const FILE = join(import.meta.dirname, 'template.json')

/** Names of assets are hashes of their contents: of code, which is reviewed where it stands. */
const masked = (text: string) => text.replaceAll(/\b[0-9a-f]{64}\b/g, 'ASSET')

test('the template is the one that is committed', () => {
  const { resources, outputs, parameters, rules } = backend(pageTable())
  const template = { Resources: resources, Outputs: outputs, Parameters: parameters, Rules: rules }
  const text = masked(`${JSON.stringify(template, null, 1)}\n`)
  if (process.env.UPDATE_TEMPLATE === 'true') writeFileSync(FILE, text)
  // Parsed: what differs is shown, not where in the text.
  expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(FILE, 'utf8')))
})
