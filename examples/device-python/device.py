"""A device that misses no command: a durable subscription, and each command is acknowledged after it was carried out."""
import os
import signal

import paho.mqtt.client as mqtt

HOST = os.environ.get("MQTT_HOST", "localhost")
PORT = int(os.environ.get("MQTT_PORT", "1883"))
CLIENT_ID = os.environ.get("CLIENT_ID", "door-8")

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=CLIENT_ID, protocol=mqtt.MQTTv5, manual_ack=True)


def on_connect(client, userdata, flags, reason, properties):
    # After each connect: IoT Core forgets the subscriptions of a clean session.
    client.subscribe(f"durable/cmd/{CLIENT_ID}", qos=1)


def on_message(client, userdata, message):
    print(f"{message.topic}: {message.payload.decode()}", flush=True)
    client.publish(f"state/{CLIENT_ID}", b"done: " + message.payload, qos=1, retain=True)
    # What fails before this line comes again.
    client.ack(message.mid, message.qos)


client.on_connect = on_connect
client.on_subscribe = lambda *_: print("subscribed", flush=True)
client.on_message = on_message
signal.signal(signal.SIGTERM, lambda *_: client.disconnect())
client.connect(HOST, PORT, keepalive=30)
client.loop_forever()
