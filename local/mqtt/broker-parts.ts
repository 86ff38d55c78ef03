/** What the handlers of a client's packets work with. The broker hands it to them. */
import type { Append } from '../state/kept-state.ts'
import type { Backlog } from './backlog.ts'
import type { ClientRegistry } from './client-registry.ts'
import type { LifecycleEvent } from './lifecycle.ts'
import type { MqttMessage } from './mqtt-message.ts'
import type { Remind } from './reminder.ts'
import type { RetainedMessages } from './retained-messages.ts'
import type { Session } from './session.ts'
import type { SubscriptionIndex } from './subscription-index.ts'

export interface BrokerParts {
  readonly clients: ClientRegistry
  readonly retained: RetainedMessages
  readonly subscriptions: SubscriptionIndex<Session>
  readonly backlog: Backlog
  /** To the retained messages, the subscribers and the rules. */
  readonly publish: (message: MqttMessage) => void
  /** To the rules and to the subscribers of `$aws/events/...`. */
  readonly emitEvent: (clientid: string, event: LifecycleEvent) => void
  /** False: the PUBACK of a direct message is ignored on purpose. */
  readonly hearsPuback: () => boolean
  readonly journal: Append
  readonly warn: (text: string) => void
  /** A warning that is not repeated with every message. */
  readonly remind: Remind
}
