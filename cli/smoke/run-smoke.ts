/** Tries a stack once and prints the report. */
import { randomBytes } from 'node:crypto'
import type { SmokeCommand } from './places.ts'
import { trial } from './trial.ts'

/**
 * @returns exit status: 0 if every check held
 * @throws BackendError with one line if the stack cannot be reached
 */
export async function runSmoke(command: SmokeCommand, { json }: { readonly json: boolean }): Promise<number> {
  const say = (text: string) => void (json ? process.stderr : process.stdout).write(text)
  const report = await trial(command, randomBytes(4).toString('hex'), say)
  const { held, checked, answers } = report
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`)
  else {
    say('\n== Report\n')
    for (const { question, seen } of answers) say(`${question}\n  ${seen}\n`)
    say(`\n${held} of ${checked} checks held\n`)
  }
  return held === checked ? 0 : 1
}
