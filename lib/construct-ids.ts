/** Construct and output ids: `client.connected` becomes `ClientConnected`, `mqtt_topic_msg_map` becomes `MqttTopicMsgMap`. */
export const pascalCase = (name: string): string =>
  name
    .split(/[._-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
