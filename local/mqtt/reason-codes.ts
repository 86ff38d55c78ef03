/** Codes of SUBACK, UNSUBACK, CONNACK and DISCONNECT: MQTT 5 section 2.4; 0x80 is also MQTT 3.1.1's refusal of a filter. */
export const REFUSED_V4 = 0x80
export const MALFORMED_PACKET = 0x81
export const PROTOCOL_ERROR = 0x82
export const KEEP_ALIVE_TIMEOUT = 0x8d
export const SESSION_TAKEN_OVER = 0x8e
export const TOPIC_FILTER_INVALID = 0x8f
export const TOPIC_NAME_INVALID = 0x90
export const RECEIVE_MAXIMUM_EXCEEDED = 0x93
export const TOPIC_ALIAS_INVALID = 0x94
export const PACKET_TOO_LARGE = 0x95
export const QUOTA_EXCEEDED = 0x97
export const QOS_NOT_SUPPORTED = 0x9b
export const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xa1
export const NO_SUBSCRIPTION_EXISTED = 0x11
export const DISCONNECT_WITH_WILL = 0x04
