/** Messages of a shared filter that were stored because no member of the group was connected (developer guide, "Shared subscriptions message queuing"). */
import type { BrokerParts } from './broker-parts.ts'
import type { Session } from './session.ts'

/** A member that comes, or comes back, gets them; those of members that are away too. */
export function takeOverShared({ subscriptions }: BrokerParts, session: Session, filter: string): void {
  for (const member of subscriptions.sharing(filter)) if (!member.online) session.takeOver(member.handOver(filter))
}
