/** The flags of `npm run soak`. */
import { newScript, type OptionsOf } from '../../cli/command-line/run-command.ts'
import { oneOf, seed, whole } from '../../cli/command-line/values.ts'

const ABOUT = `Runs the local stack as a process of its own with misbehaviour switched on (events doubled, late and out of
order, a throttled database, PUBACKs not heard), MQTT clients of which a third come and go, handlers
killed in the middle of their work, and the whole stack killed (SIGKILL) and started again on its
data directory. Then all is calmed, dead letters are redriven, a last subscriber fetches what is
left on each topic, and every message is accounted for.`

const AFTER = `
Progress goes to stderr. Where something is wrong, the stack's data directory is kept and named.
Exit status: 0 every message accounted for and every check held, 1 not so, 2 wrong use, 130 interrupted.`

export const flags = () =>
  newScript('soak', ABOUT)
    .option('--clients <N>', 'MQTT clients, 3.1.1 and 5', whole(3, 1_000), 50)
    .option('--topics <N>', 'all topics', whole(2, 10_000), 100)
    .option('--publishes <N>', 'at QoS 1, one in twenty retained', whole(1, 10_000_000), 20_000)
    .option('--kills <N>', 'handlers killed in the middle of their work; 0 for none', whole(0, 10_000), 20)
    .option('--restarts <N>', 'times that the whole stack is killed; 0 for none', whole(0, 1_000), 2)
    .option(
      '--dynamodb <ENGINE>',
      'local is DynamoDB Local, which needs Java 17 or docker; it is not killed with the stack, and throttles nothing',
      oneOf('embedded', 'local'),
      'embedded',
    )
    .option(
      '--seed <N>',
      'who does what, and what misbehaves; the machine decides the interleavings, so a seed repeats the play, not its every move',
      seed,
      1,
    )
    .option('--minutes-limit <N>', 'gives up, and fails, after so long', whole(1, 10_000), 30)
    .option('--json', 'the report as one JSON object')
    .addHelpText('after', AFTER)

export type SoakFlags = OptionsOf<typeof flags>

/** What is played. */
export type SoakOptions = Omit<SoakFlags, 'minutesLimit' | 'json'>

/** What to type to play it again. */
export const replayOf = ({ clients, topics, publishes, kills, restarts, dynamodb, seed }: SoakOptions): string =>
  `npm run soak -- --clients ${clients} --topics ${topics} --publishes ${publishes} --kills ${kills} --restarts ${restarts}` +
  ` --dynamodb ${dynamodb} --seed ${seed}`
