# A board on umqtt.simple that answers signed commands, as its examples do it: it waits for nothing but messages. HOST, PORT, KEY and DEVICE_ID stand before.
import hashlib
import json
import network
import time

from umqtt.simple import MQTTClient

BASE = "solar_sprinkler/" + DEVICE_ID + "/"


def mac(topic, body):
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in KEY + bytes(64 - len(KEY))))
    inner.update(topic + b"\0" + body)
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in KEY + bytes(64 - len(KEY))))
    outer.update(inner.digest())
    return "".join("%02x" % b for b in outer.digest()[:16]).encode()


def hear(topic, message):
    body = message[:-33]
    if mac(topic, body) != message[-32:]:
        return
    command = json.loads(body)
    reply = {
        "id": command["id"],
        "accepted": True,
        "reason": "",
        "zone": command.get("zone", 0),
        "run_id": 0,
        "run_time_s": 0,
        "run_until": 0,
    }
    client.publish(BASE + "reply", json.dumps(reply), False, 1)


wlan = network.WLAN(network.STA_IF)
while not wlan.isconnected():
    time.sleep_ms(20)
client = MQTTClient("sprinkler-" + DEVICE_ID, HOST, PORT, keepalive=60)
client.set_callback(hear)
client.connect()
client.subscribe(BASE + "command", 1)
client.publish(BASE + "availability", '{"state": "online"}', True, 1)
while True:
    client.wait_msg()
