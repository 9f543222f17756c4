"""Subscribes with paho-mqtt, publishes at every QoS, and prints what comes back."""

import sys

import paho.mqtt.client as mqtt

port, version = int(sys.argv[1]), int(sys.argv[2])
transport = sys.argv[3] if len(sys.argv) > 3 else "tcp"
client = mqtt.Client(
    mqtt.CallbackAPIVersion.VERSION2,
    client_id=f"paho-{version}",
    protocol=mqtt.MQTTv5 if version == 5 else mqtt.MQTTv311,
    transport=transport,
)
seen = []


def on_connect(client, userdata, flags, reason, properties):
    assert not reason.is_failure, reason
    client.subscribe("a/#", qos=2)


def on_subscribe(client, userdata, mid, reasons, properties):
    assert [int(reason.value) for reason in reasons] == [2], reasons
    client.publish("a/0", "hello", qos=0)


def on_message(client, userdata, message):
    # One after the other, so that they come in order.
    print(message.topic, message.payload.decode(), message.qos)
    seen.append(message)
    if len(seen) == 3:
        client.disconnect()
    else:
        client.publish(f"a/{len(seen)}", "hello", qos=len(seen))


client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
if len(sys.argv) > 4:
    client.tls_set(ca_certs=sys.argv[4])
client.connect("localhost" if len(sys.argv) > 4 else "127.0.0.1", port, keepalive=30)
client.loop_forever()
