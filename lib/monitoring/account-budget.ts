import { CfnBudget } from 'aws-cdk-lib/aws-budgets'
import { Construct } from 'constructs'

export interface AccountBudgetProps {
  /** US dollars a month. */
  readonly amount: number
  /** Whom AWS Budgets tells. It asks the address for no confirmation. */
  readonly email: string
}

/** Percent of the amount. AWS counts the bill only some times a day, so 80 % is told too. */
const THRESHOLDS = [
  { notificationType: 'FORECASTED', threshold: 100 },
  { notificationType: 'ACTUAL', threshold: 80 },
  { notificationType: 'ACTUAL', threshold: 100 },
]

/** Of the whole account: IoT Core's messages, the largest part of the bill, belong to no stack. */
export class AccountBudget extends Construct {
  constructor(scope: Construct, id: string, { amount, email }: AccountBudgetProps) {
    super(scope, id)
    new CfnBudget(this, 'Budget', {
      budget: { budgetType: 'COST', timeUnit: 'MONTHLY', budgetLimit: { amount, unit: 'USD' } },
      notificationsWithSubscribers: THRESHOLDS.map((limit) => ({
        notification: { comparisonOperator: 'GREATER_THAN', thresholdType: 'PERCENTAGE', ...limit },
        subscribers: [{ subscriptionType: 'EMAIL', address: email }],
      })),
    })
  }
}
