# One wake of a sleeping sensor on umqtt.simple, as its users write it: connect, publish what there is, look for messages, sleep. It says what the
# firmware says in such a wake, byte for byte. HOST, PORT, KEY, DEVICE_ID and MESSAGES stand before.
import machine
import network
import socket
import time

from umqtt.simple import MQTTClient

BASE = "solar_sprinkler/" + DEVICE_ID + "/"
LOOK_MS = 100

wlan = network.WLAN(network.STA_IF)
while not wlan.isconnected():
    time.sleep_ms(20)
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # the time, as ntptime does it
asked.settimeout(1)
try:
    asked.sendto(b"\x1b" + bytes(47), ("192.168.4.1", 123))
    asked.recv(48)
finally:
    asked.close()
client = MQTTClient("sprinkler-" + DEVICE_ID, HOST, PORT, keepalive=60)
client.set_callback(lambda topic, message: None)
client.set_last_will(BASE + "availability", '{"state": "lost"}', True, 1)
if not client.connect(clean_session=False):
    for leaf in ("ack", "desired", "command", "time"):
        client.subscribe(BASE + leaf, 1)
for leaf, payload, retained in MESSAGES:
    client.publish(BASE + leaf, payload, retained, 1)
until = time.ticks_add(time.ticks_ms(), LOOK_MS)
while time.ticks_diff(until, time.ticks_ms()) > 0:
    client.check_msg()
    time.sleep_ms(10)
client.disconnect()
machine.deepsleep(900000)
