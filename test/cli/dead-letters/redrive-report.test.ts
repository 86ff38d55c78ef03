import { asText } from '../../../cli/dead-letters/redrive-report.ts'

test('what a letter holds forges no line of the report and steers no terminal', () => {
  const why = 'bad topic filter: level 1 is "\u001b]0;x\u0007\nQ: 9 redriven+"'
  const stays = [{ messageId: 'm', sentAt: 0, code: 'bad-topic-filter', why } as never]
  const queues = [{ name: 'Q', url: 'u', redriven: 0, stays, invisible: 0 }]
  const lines = asText({ dryRun: false, stopped: false, queues }).split('\n')
  expect(lines[1]).toContain('level 1 is "\\u001b]0;x\\u0007\\u000aQ: 9 redriven+"')
  expect(lines).toHaveLength(4)
})
