/** Reads what the compiler wrote: a declaration begins at the start of a line and ends with `;` or `}` there. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface Declaration {
  readonly name: string
  /** Of the declaration: `/** ... *\/`, or empty. */
  readonly comment: string
  /** As somebody may write it who uses it: without `export`, private members and the names of destructured parameters. */
  readonly text: string
  /** Names in the text that are declared in this repository, with their file. */
  readonly uses: ReadonlyMap<string, string>
}

const HEAD = /^export (?:declare )?(?:interface|class|function|const|type) (\w+)/
const COMMENTED =
  /(?:^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^export (?:declare )?(?:interface|class|function|const|type) \w+(?:[^\n]*;$|[\s\S]*?^\}[^\n]*$)/gm

/** Name -> file that exports it, of a file that only exports on, in its order. */
export function exportsOf(file: string): Map<string, string> {
  const names = (list: string) => list.split(',').map((name) => name.replace(/\btype\b/, '').trim())
  const lines = readFileSync(file, 'utf8').matchAll(/^export (?:type )?\{([^}]*)\} from '(.+)\.ts';$/gm)
  return new Map([...lines].flatMap(([, list, from]) => names(list!).map((name) => [name, fileOf(file, from!)] as const)))
}

/** @throws Error if there is none of the name */
export function declarationOf(name: string, file: string): Declaration {
  const source = readFileSync(file, 'utf8')
  const found = [...source.matchAll(COMMENTED)].map(([text]) => text).find((text) => HEAD.exec(withoutComment(text))?.[1] === name)
  if (found === undefined) {
    const from = exportsOf(file).get(name)
    if (from !== undefined) return declarationOf(name, from)
    throw new Error(`${file} declares no ${name}`)
  }
  const text = asUsed(withoutComment(found))
  const known = new Map([...declaredIn(source).map((other) => [other, file] as const), ...importsOf(source, file)])
  const code = text.replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
  const uses = new Map([...known].filter(([other]) => other !== name && new RegExp(`\\b${other}\\b`).test(code)))
  return { name, comment: commentOf(found), text, uses }
}

const fileOf = (from: string, path: string): string => join(dirname(from), `${path}.d.ts`)
const commentOf = (text: string): string => /^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n/.exec(text)?.[0].trimEnd() ?? ''
const withoutComment = (text: string): string => text.slice(commentOf(text).length).trimStart()
const declaredIn = (source: string): string[] => [...source.matchAll(new RegExp(HEAD, 'gm'))].map(([, name]) => name!)

const importsOf = (source: string, file: string): [name: string, file: string][] =>
  [...source.matchAll(/^import (?:type )?\{([^}]*)\} from '(\..+)\.ts';$/gm)].flatMap(([, list, from]) =>
    list!.split(',').map((name): [string, string] => [name.replace(/\btype\b/, '').trim(), fileOf(file, from!)]),
  )

const asUsed = (text: string): string =>
  text
    .replace(/^export (?:declare )?/, '')
    .replaceAll(/^ +(?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s+)?private [^\n]*\n/gm, '')
    .replaceAll(
      /\{ [\w, .:]+ \}: (\w+)/g,
      (_, type: string) => `${type.endsWith('Props') ? 'props' : type[0]!.toLowerCase() + type.slice(1)}: ${type}`,
    )
    .replaceAll(/^( {4})+/gm, (indent) => ' '.repeat(indent.length / 2))
