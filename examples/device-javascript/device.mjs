// A device that misses no command: a durable subscription, and each command is acknowledged after it was carried out.
import mqtt from 'mqtt'

const { MQTT_URL = 'mqtt://localhost:1883', CLIENT_ID = 'door-7' } = process.env
const client = mqtt.connect(MQTT_URL, { clientId: CLIENT_ID, protocolVersion: 5, clean: true, reconnectPeriod: 1_000 })

// After each connect: IoT Core forgets the subscriptions of a clean session.
client.on('connect', () => client.subscribe(`durable/cmd/${CLIENT_ID}`, { qos: 1 }, () => console.log('subscribed')))

// mqtt.js sends the PUBACK when the callback is called: what fails here comes again.
client.handleMessage = ({ topic, payload }, acknowledge) => {
  console.log(`${topic}: ${payload}`)
  client.publish(`state/${CLIENT_ID}`, `done: ${payload}`, { qos: 1, retain: true })
  acknowledge()
}

process.on('SIGTERM', () => client.end(() => process.exit(0)))
process.on('SIGINT', () => client.end(() => process.exit(0)))
