/** -c monthlyBudget: AWS Budgets tells the address, of the whole account. */
import { backend, EVERY_HOOK, type Properties } from '../../support/synthesized.ts'

const of = (options: object) => backend(EVERY_HOOK, { dataEndpoint: 'abc-ats.iot.eu-west-1.amazonaws.com', ...options })

test('none by default, and none with an address alone', () => {
  for (const options of [{}, { alarmEmail: 'ops@example.com' }]) expect(of(options).ofType('AWS::Budgets::Budget')).toEqual([])
})

test('tells the address of a forecast above it, and when 80 % and all of it are spent', () => {
  const { Budget, NotificationsWithSubscribers } = of({ monthlyBudget: 50, alarmEmail: 'ops@example.com' }).one(
    'AWS::Budgets::Budget',
  ).Properties
  expect(Budget).toEqual({ BudgetType: 'COST', TimeUnit: 'MONTHLY', BudgetLimit: { Amount: 50, Unit: 'USD' } })
  expect(
    NotificationsWithSubscribers.map(({ Notification, Subscribers }: Properties) => {
      const { NotificationType, Threshold, ThresholdType, ComparisonOperator } = Notification
      return [NotificationType, Threshold, ThresholdType, ComparisonOperator, Subscribers]
    }),
  ).toEqual(
    [
      ['FORECASTED', 100],
      ['ACTUAL', 80],
      ['ACTUAL', 100],
    ].map((limit) => [...limit, 'PERCENTAGE', 'GREATER_THAN', [{ SubscriptionType: 'EMAIL', Address: 'ops@example.com' }]]),
  )
})

test('refuses an amount of which nobody would be told', () => {
  expect(() => of({ monthlyBudget: 50 })).toThrow(/^option monthlyBudget is 50 without alarmEmail, so nobody would be told; wanted both$/)
})
