/** docs/api.md: what the package exports, from the types that the compiler writes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Declaration, declarationOf, exportsOf } from './declarations.ts'
import { emitTypes } from './types.ts'

const ENTRIES = [
  { entry: 'mqtt-dynamodb', file: 'lib/public-api.d.ts', about: 'The construct. It needs `aws-cdk-lib` and `constructs`.' },
  { entry: 'mqtt-dynamodb/conf', file: 'lib/public-conf.d.ts', about: 'Reads confs, and loads nothing of CDK.' },
]

const HEAD = `# API

What \`import\` and \`require\` give. \`npm run api\` writes this page from the types, and a test fails where it is out of date: who changes the API sees it here.
[How it may change](../CONTRIBUTING.md#versions). What the options mean: [deploy](deploy.md#options). How to use it: [package](package.md).
`

export interface Api {
  readonly page: string
  /** What the page shows. */
  readonly declarations: readonly Declaration[]
}

export function readApi(): Api {
  const folder = mkdtempSync(join(tmpdir(), 'api-'))
  try {
    emitTypes(folder)
    return apiIn(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function apiIn(folder: string): Api {
  const shown = new Map<string, Declaration>()
  const sections = ENTRIES.map(({ entry, file, about }) => {
    const names = [...exportsOf(join(folder, file))]
    const again = names.filter(([name]) => shown.has(name)).map(([name]) => `\`${name}\``)
    const own = names.filter(([name]) => !shown.has(name)).map(([name, from]) => declarationOf(name, from))
    for (const one of own) shown.set(one.name, one)
    const others = again.length === 0 ? '' : ` Also exports ${again.join(', ')} of above.`
    return `## ${entry}\n\n${about}${others}\n\n${own.map(blockOf).join('\n\n')}\n`
  })
  const named = namedBy(shown)
  const rest = `## Named by these\n\nNot exported: TypeScript finds them by the types above.\n\n${named.map(blockOf).join('\n\n')}\n`
  return { page: [HEAD, ...sections, rest].join('\n'), declarations: [...shown.values()] }
}

/** What the shown declarations lead to, in the order in which they do. */
function namedBy(shown: ReadonlyMap<string, Declaration>): Declaration[] {
  const found = new Map<string, Declaration>()
  const follow = (one: Declaration): void => {
    for (const [name, file] of one.uses) {
      if (shown.has(name) || found.has(name)) continue
      const next = declarationOf(name, file)
      found.set(name, next)
      follow(next)
    }
  }
  for (const one of shown.values()) follow(one)
  return [...found.values()]
}

const blockOf = ({ name, comment, text }: Declaration): string =>
  `### ${name}\n\n\`\`\`ts\n${comment === '' ? '' : `${forReaders(comment)}\n`}${text}\n\`\`\``

/** Without what is for tools. */
const forReaders = (comment: string): string => comment.replace('\n * @public', '').replaceAll(/\{@link (\w+)\}/g, '`$1`')
