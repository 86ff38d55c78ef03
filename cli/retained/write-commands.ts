/** `retained put|delete|export|import`. What changes goes through IoT Core, so that it and the table agree. */
import { exits, wrongUse } from '../command-line/run-command.ts'
import { existingFile, topicName, whole } from '../command-line/values.ts'
import { iotCommand, payloadOf, RATE, say, sayJson, tablesCommand, withPayload } from '../operate/operate-command.ts'
import { linesOf } from './retained-lines.ts'

const PUT = 'Publishes a retained message through IoT Core. Its event writes the row, so IoT Core and the table agree.'
const DELETE =
  'Publishes an empty retained message through IoT Core: IoT Core forgets the message of the topic, and its event deletes the row.'
const EXPORT = `Prints all rows of mqtt_retain, one JSON object a line: topic, qos, payload_base64, user. It says before it begins how many there
are, and reads them in pages.`
const IMPORT = `Publishes each message of a file that retained export wrote, retained, through IoT Core. All lines are checked before the first is
published. It may be run again: the last value stays.`

export const putCommand = () =>
  withPayload(iotCommand('put', 'set the retained message of a topic', PUT))
    .argument('<TOPIC>', 'the topic', topicName)
    .option('--qos <QOS>', 'of the message', whole(0, 1), 1)
    .action(
      exits(async (topic, { qos, payload, payloadFile, json, ...flags }) => {
        const bytes = payloadOf({ payload, payloadFile })
        if (bytes.length === 0) throw wrongUse('the payload is empty, which deletes a retained message: wanted retained delete')
        const [{ withIotCore }, { publish }] = await steering()
        await withIotCore(flags, (tables) => publish(tables, { topic, payload: bytes, qos: qos as 0 | 1, retain: true }))
        if (json) sayJson({ topic, bytes: bytes.length })
        else say(`${JSON.stringify(topic)}: published, retained; its row follows when the event is handled`)
        return 0
      }),
    )

export const deleteCommand = () =>
  iotCommand('delete', 'delete the retained message of a topic', DELETE)
    .argument('<TOPIC>', 'the topic', topicName)
    .option('--dry-run', 'say whether there is one; nothing is deleted')
    .option('--yes', 'do it without asking')
    .action(
      exits(async (topic, { dryRun, yes, json, ...flags }) => {
        if (!dryRun && !yes) throw wrongUse('delete deletes a retained message, wanted --yes, or --dry-run to see whether there is one')
        const [{ withIotCore, found }, { deleteRetained }] = await steering()
        await withIotCore(flags, async (tables) => {
          // IoT Core may have one that the table lacks, so only a dry run asks the table.
          if (!dryRun) return await deleteRetained(tables, topic)
          found(await tables.ports.retained.get(topic), `topic ${JSON.stringify(topic)}: mqtt_retain has no such row`)
        })
        if (json) sayJson({ topic, deleted: !dryRun })
        else
          say(`${JSON.stringify(topic)}: ${dryRun ? 'would be deleted' : 'IoT Core forgets it; its row follows when the event is handled'}`)
        return 0
      }),
    )

export const exportCommand = () =>
  tablesCommand('export', 'print all retained messages, one a line', EXPORT)
    .option('--rate <UNITS>', RATE, whole(1, 10_000))
    .action(
      exits(async ({ rate, ...flags }) => {
        const [{ withTables }, , { exportRetained }] = await steering()
        await withTables(flags, (tables) => exportRetained(tables, { rate, aws: flags.aws }))
        return 0
      }),
    )

export const importCommand = () =>
  iotCommand('import', 'publish the retained messages of a file', IMPORT)
    .argument('<FILE>', 'what retained export printed', existingFile)
    .option('--rate <N>', 'publishes a second', whole(1, 500), 50)
    .option('--dry-run', 'check the file and say how many there are; nothing is published')
    .action(
      exits(async (file, { rate, dryRun, json, ...flags }) => {
        const lines = linesOf(file)
        const [{ withIotCore }, , { importRetained }] = await steering()
        if (!dryRun) await withIotCore(flags, (tables) => importRetained(tables, lines, rate))
        if (json) sayJson({ [dryRun ? 'messages' : 'published']: lines.length })
        else say(`${lines.length} ${dryRun ? 'would be published' : 'published, retained; their rows follow when the events are handled'}`)
        return 0
      }),
    )

const steering = () =>
  Promise.all([import('../operate/operator-tables.ts'), import('../operate/deeds.ts'), import('./retained-transfer.ts')])
