/** Messages of a shared filter, stored while no member was connected (developer guide, "Shared subscriptions message queuing"). */
import type { BrokerParts } from './broker-parts.ts'
import type { Session } from './session.ts'

/** A member that connects gets them, and those that wait for members that are away. */
export function takeOverShared({ subscriptions }: BrokerParts, session: Session, filter: string): void {
  for (const member of subscriptions.sharing(filter)) if (!member.online) session.takeOver(member.handOver(filter))
}
