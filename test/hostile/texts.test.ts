/** Confs and rule SQL by their size: what takes the square of its length, or the double for each level, would never end here. */
import { type ParsedConf, parseConf } from '../../lib/conf/conf.ts'
import { compileRule } from '../../local/rules/rule-evaluator.ts'
import { assertSilent, CANARY } from './canary.ts'

const conf = (text: string, readInclude?: (path: string) => string): ParsedConf =>
  parseConf(text, { file: 'a.conf', ...(readInclude ? { readInclude } : {}) })
const lines = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join('\n')
const hook = (i: number, { topic = 't', pool = 'p' } = {}) =>
  `backend.dynamo.hook.session.subscribed.${i} = {"topic":"${topic}","action":{"function":"on_retain_lookup"},"pool":"${pool}"}`
const MEGABYTE = 1024 * 1024

describe('a conf', () => {
  it.each<[what: string, text: string, error: string]>([
    ['of more than a megabyte', ' '.repeat(MEGABYTE + 1), 'a file of 1048577 characters, wanted a conf of at most 1048576'],
    ['of one key', 'k'.repeat(MEGABYTE - 10), 'not a line of a conf file'],
    ['of escaped dots', `backend.dynamo.${'\\.'.repeat(500_000)} = 1`, 'this key is unknown'],
    ['of dots', `${'a.'.repeat(500_000)} = 1`, 'bad key'],
    ['of blanks', `x${' '.repeat(MEGABYTE - 10)}y`, 'not a line of a conf file'],
    ['of braces', `{{${'}}x'.repeat(300_000)}`, 'not a line of a conf file'],
    ['of brackets', `backend.dynamo.hook.message.publish.1 = ${'['.repeat(1_000_000)}`, '1000000 opening brackets, wanted at most 200'],
    ['of one string', `backend.dynamo.hook.message.publish.1 = "${'\\n'.repeat(500_000)}`, 'text without its closing double quote'],
    ['of one number', `backend.dynamo.hook.message.publish.1 = ${'1'.repeat(1_000_000)}x`, 'an unknown word'],
  ])('%s is read in no time', (_, text, error) => {
    expect(conf(text).errors.map(({ message }) => message)).toContainEqual(expect.stringContaining(error))
  })

  it('reads 5,000 rows, each with a pool of its own', () => {
    const { table, errors } = conf(lines(5000, (i) => `backend.dynamo.p${i}.pool_size = 1\n${hook(i, { topic: `t${i}`, pool: `p${i}` })}`))
    expect(errors).toEqual([])
    expect(table.rows).toHaveLength(5000)
  })

  it('gives no hint where thousands of pools, or names of thousands of letters, could be meant', () => {
    const { errors } = conf(lines(2000, (i) => `backend.dynamo.p${i}.pool_size = 1\n${hook(i, { topic: `t${i}`, pool: 'nope' })}`))
    expect(errors[0]!.message).toMatch(/, wanted p0 or .* or p9 or one of 1990 more$/)
    const long = conf(`backend.dynamo.${'p'.repeat(100_000)}.pool_size = 1\n${hook(1, { pool: 'q'.repeat(100_000) })}`)
    expect(long.errors[0]!.message).toBe(
      'pool text of 100002 characters has no backend.dynamo.<pool>.* setting, wanted text of 100002 characters',
    )
  })

  it('of files that include the next one twice each is given up at 100 files', () => {
    let read = 0
    const { errors } = conf('include 1', (path) => {
      read++
      return `include ${Number(path) + 1}\ninclude ${Number(path) + 1}`
    })
    expect(read).toBe(100)
    expect(conf(`include ${'x'.repeat(100_000)}`, () => '').errors[0]!.message).toBe(
      'include of 100000 characters, wanted a path of at most 255',
    )
    expect(errors.map(({ message }) => message)).toContainEqual('include number 101, wanted at most 100 in all')
  })

  it('never repeats what may be a credential', () => {
    const { errors, warnings } = conf(
      [
        `backend.dynamo.p.aws_access_key_id = ${CANARY}`,
        `backend.dynamo.p.aws_secret_access_key = ${CANARY}`,
        `backend.dynamo.p.aws_secret_access_key ${CANARY}`,
        `backend.dynamo.p.${CANARY} = x`,
        `backend.dynamo.p.server = http://user:${CANARY}@localhost:8000`,
        `backend.dynamo.region = ${CANARY}`,
        `backend.dynamo.p.pool_size = ${CANARY}`,
        `backend.dynamo.hook.message.publish.1 = {"topic": ${CANARY}}`,
        `${CANARY} = ${CANARY}`,
        CANARY,
      ].join('\n'),
    )
    expect(errors.length).toBeGreaterThan(7)
    expect(warnings.length).toBeGreaterThan(1)
    assertSilent('a problem of the conf', JSON.stringify([errors, warnings]))
  })
})

describe('rule SQL', () => {
  const from = "SELECT * FROM 'a' WHERE "
  it.each<[what: string, sql: string, error: string]>([
    ['of nothing', '', 'wanted SELECT'],
    ['of more than 256 KB', `SELECT * FROM '${'a'.repeat(300_000)}'`, 'a statement of 300016 characters, wanted at most 262144'],
    ['of NOTs', `${from}${'NOT '.repeat(50_000)}startswith(topic(), 'a')`, 'wanted at most 32 levels'],
    ['of parentheses', `${from}${'('.repeat(200_000)}`, 'wanted at most 32 levels'],
    ['of calls', `SELECT ${'topic('.repeat(40_000)}`, 'wanted at most 32 levels'],
    ['of quotes', `SELECT * FROM ${"'".repeat(200_001)}`, 'cannot read'],
    ['of blanks', `SELECT${' '.repeat(200_000)}!`, 'cannot read'],
    ['with a repeated group', `${from}regexp_matches(topic(), '(a+)+$')`, 'has a group'],
    ['with half a class', `${from}regexp_matches(topic(), '[a')`, 'is no regular expression'],
    ['with a turned range', `${from}regexp_matches(topic(), '[b-a]')`, 'is no regular expression'],
    ['with a function of every object', 'SELECT constructor() AS a', 'wanted one of'],
    ['with a property of every object', "SELECT get_mqtt_property('__proto__') AS a FROM '#'", 'unknown property'],
    ['with U+0000', "SELECT \0 FROM 'a'", 'cannot read'],
  ])('%s is refused in a short line', (_, sql, error) => {
    const message = (() => {
      try {
        compileRule(sql)
        return 'taken'
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'rule-sql' })
        return (thrown as Error).message
      }
    })()
    expect(message).toContain(error)
    expect(message.length).toBeLessThan(2000)
  })
})
