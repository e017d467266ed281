"""The demo: a real broker, a simulated board and a real Home Assistant on this machine, from nothing to a page with a valve to click."""
