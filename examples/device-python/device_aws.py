"""The same device with AWS's own SDK (awsiotsdk): a durable subscription, and each command is acknowledged after it was carried out."""
import os
import signal
import threading

from awscrt import mqtt5

HOST = os.environ.get("MQTT_HOST", "localhost")
PORT = int(os.environ.get("MQTT_PORT", "1883"))
CLIENT_ID = os.environ.get("CLIENT_ID", "door-9")

stopped = threading.Event()


def subscribe():
    topic = mqtt5.Subscription(f"durable/cmd/{CLIENT_ID}", qos=mqtt5.QoS.AT_LEAST_ONCE)
    client.subscribe(mqtt5.SubscribePacket([topic])).result()
    print("subscribed", flush=True)


def on_message(received):
    message, acknowledge = received.publish_packet, received.acquire_publish_acknowledgement_control()
    print(f"{message.topic}: {message.payload.decode()}", flush=True)
    done = b"done: " + message.payload
    client.publish(mqtt5.PublishPacket(f"state/{CLIENT_ID}", payload=done, qos=mqtt5.QoS.AT_LEAST_ONCE, retain=True))
    # What fails before this line comes again.
    client.invoke_publish_acknowledgement(acknowledge)


client = mqtt5.Client(
    mqtt5.ClientOptions(
        host_name=HOST,
        port=PORT,
        connect_options=mqtt5.ConnectPacket(client_id=CLIENT_ID, keep_alive_interval_sec=30),
        on_publish_callback_fn=on_message,
        # After each connect: IoT Core forgets the subscriptions of a clean session. A thread of its own, because a callback must not wait.
        on_lifecycle_event_connection_success_fn=lambda _: threading.Thread(target=subscribe, daemon=True).start(),
        on_lifecycle_event_stopped_fn=lambda _: stopped.set(),
    )
)
signal.signal(signal.SIGTERM, lambda *_: client.stop())
client.start()
while not stopped.wait(1):
    pass
