/** `client.connected` -> `ClientConnected`, `mqtt_topic_msg_map` -> `MqttTopicMsgMap`: readable construct and output ids. */
export const pascalCase = (name: string): string =>
  name
    .split(/[._-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
