/** The parts of README.md and docs/performance.md that a run's figures fill: between `<!-- bench:NAME -->` and `<!-- /bench -->`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackendError } from '../lambda/core/errors.ts'
import { CHARTS_DIRECTORY, chartFile, chartsOf, titleOf } from './charts.ts'
import { COLUMNS, cellsOf, type Figure } from './report.ts'
import type { BlockResult, Machine, Results } from './results.ts'

const PAGES = ['README.md', 'docs/performance.md'] as const

/** Names of the figures that the README shows. */
export const README_FIGURES: readonly string[] = [
  'write units per publish of 100 B, 1,000 queued',
  "EMQX's pattern beside it, 1,000 queued",
  'backlog of 1000 on one topic, delivered in order and acknowledged',
]

const PART = /(<!-- bench:([\w-]+) -->\n)[\s\S]*?(<!-- \/bench -->)/g

/**
 * The page with its parts written anew. A part is `machine`, `readme` (the three figures of the README), `headlines`, `missed`, the name of
 * a block, or `others`: the blocks that have no part of their own on this page, with their charts.
 */
export function filled(page: string, results: Results): string {
  const own = new Set([...page.matchAll(PART)].map(([, , name]) => name!))
  return page.replaceAll(PART, (_, open: string, name: string, close: string) => `${open}${partOf(name, results, own)}\n${close}`)
}

function partOf(name: string, { machine, blocks }: Results, own: ReadonlySet<string>): string {
  const all = Object.values(blocks).flatMap(({ figures }) => figures)
  switch (name) {
    case 'machine':
      return machineText(machine, Object.values(blocks))
    case 'readme':
      return tableOf(all.filter(({ name }) => README_FIGURES.includes(name)))
    case 'headlines':
      return tableOf(all.filter(({ headline }) => headline))
    case 'missed':
      return missedText(all)
    case 'others':
      return Object.entries(blocks)
        .filter(([block]) => !own.has(block))
        .map(([block, result]) => [`### ${block}`, ...picturesOf(result), blockText(result)].join('\n\n'))
        .join('\n\n')
  }
  const block = blocks[name]
  return block === undefined ? `Not measured yet: \`npm run bench -- --only ${name} --save\`.` : blockText(block)
}

/** For a page of docs/. */
function picturesOf({ figures }: BlockResult): string[] {
  const charts = new Set(figures.flatMap(({ point }) => (point === undefined ? [] : [point.chart])))
  return [...charts].map((chart) => `![${titleOf(chart)}](${chartFile(chart).replace(/^docs\//, '')})`)
}

const blockText = (block: BlockResult): string => `${tableOf(block.figures)}\n\nMeasured ${measuredText(block)}.`
const measuredText = ({ date, commit }: BlockResult): string => `${date.slice(0, 10)}${commit === undefined ? '' : ` at ${commit}`}`

function machineText({ cpu, cores, memory, node }: Machine, blocks: readonly BlockResult[]): string {
  const latest = [...blocks].sort((a, b) => a.date.localeCompare(b.date)).at(-1)
  return `${cores} cores of ${cpu}, ${memory} GB, Node ${node.replace(/^v/, '')}${latest ? `; ${measuredText(latest)}` : ''}.`
}

function missedText(figures: readonly Figure[]): string {
  const targets = figures.filter(({ reached }) => reached !== undefined)
  const missed = targets.filter(({ reached }) => !reached)
  const reached = `${targets.length - missed.length} of ${targets.length} targets are reached`
  return missed.length === 0 ? `${reached}.` : `${reached}. Missed:\n\n${tableOf(missed)}`
}

function tableOf(figures: readonly Figure[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [row(COLUMNS), row(COLUMNS.map(() => '---')), ...figures.map((figure) => row(cellsOf(figure)))].join('\n')
}

/** Every file that the results fill, with what it should hold. @throws BackendError `no-page` */
export function documents(root: string, results: Results): Map<string, string> {
  const pages = PAGES.map((page): [string, string] => [page, filled(readPage(root, page), results)])
  const charts = [...chartsOf(results)].map(([chart, svg]): [string, string] => [chartFile(chart), svg])
  return new Map([...pages, ...charts])
}

function readPage(root: string, page: string): string {
  try {
    return readFileSync(join(root, page), 'utf8')
  } catch {
    throw new BackendError('no-page', `${page}: no such file, wanted the page that the figures go to`)
  }
}

export function writeDocuments(root: string, results: Results): string[] {
  const all = documents(root, results)
  mkdirSync(join(root, CHARTS_DIRECTORY), { recursive: true })
  for (const [file, text] of all) writeFileSync(join(root, file), text)
  return [...all.keys()]
}
