/** The words of the help, and of the line about wrong use. */
import type { CommanderError, CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import type { Reader } from './values.ts'

/** What the value of a flag must be; undefined for a flag without a value. */
const wantedBy = ({ parseArg }: Option): string | undefined => (parseArg as Partial<Reader<unknown>> | undefined)?.wanted

/** A flag in the help: what it means, what it takes, its default. */
export function flagText(option: Option): string {
  const { description, defaultValue, defaultValueDescription } = option
  const otherwise = defaultValueDescription ?? (defaultValue === undefined ? undefined : `${defaultValue}`)
  const facts = [wantedBy(option), otherwise && `default: ${otherwise}`].filter(Boolean)
  return facts.length === 0 ? description : `${description} (${facts.join('; ')})`
}

/** Makes of the library's error one line that says what was got and what was wanted. */
export function usageLine(command: CommandUnknownOpts, { code, message }: CommanderError): string {
  const flag = /option '(?:-\w, )?(--[\w-]+)/.exec(message)?.[1] ?? ''
  const option = command.options.find(({ long }) => long === flag)
  const wanted = option === undefined ? 'a value' : (wantedBy(option) ?? 'a value')
  switch (code) {
    case 'commander.invalidArgument':
      return invalidValue(message, option)
    case 'commander.optionMissingArgument':
      return `${flag} has no value, wanted ${wanted}`
    case 'commander.unknownOption':
      return `unknown flag ${nameIn(message)}, ${nearest(message, ['--help', ...command.options.map(({ long }) => long!)])}`
    case 'commander.unknownCommand': {
      const names = command.commands.map((one) => one.name())
      return `unknown command ${nameIn(message)}, ${nearest(message, names)}`
    }
    case 'commander.conflictingOption':
      return message.replace(/^error: /, '').replaceAll(/option '(--[\w-]+).*?'/g, '$1')
    case 'commander.excessArguments':
      return tooMany(command)
    default:
      return message.replace(/^error: /, '').replaceAll('\n', ' ')
  }
}

/** In the library's message the value stands between quotes, and the text of the reader at the end. */
function invalidValue(message: string, option: Option | undefined): string {
  const before = option === undefined ? "error: command-argument value '" : `error: option '${option.flags}' argument '`
  const end = message.lastIndexOf("' is invalid")
  const name = option === undefined ? /for argument '(.+?)'/.exec(message.slice(end))?.[1] : option.long
  return `${name} is ${JSON.stringify(message.slice(before.length, end))}, ${message.slice(message.lastIndexOf('wanted '))}`
}

const nameIn = (message: string): string => JSON.stringify(/'(.*?)'(?:\n|$)/s.exec(message)?.[1])

function nearest(message: string, names: readonly string[]): string {
  const near = /Did you mean ((?:one of )?.+)\?/.exec(message)?.[1]
  return near === undefined ? `wanted one of ${names.join(', ')}` : `did you mean ${near}?`
}

function tooMany({ args, registeredArguments }: CommandUnknownOpts): string {
  const all = args.map((arg) => JSON.stringify(arg)).join(' ')
  return registeredArguments.length === 0
    ? `unexpected ${all}, wanted flags only`
    : `${args.length} values given (${all}), wanted one ${registeredArguments[0]!.name()}`
}
