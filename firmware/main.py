"""Main: hands the port's modules to the application and runs it, unless boot.py was asked for maintenance."""

import machine
import network
import os
import select
import socket
import time

import closer

if not maintenance:  # noqa: F821 - boot.py ran before, in the same globals
    from sprinkler.app import App
    from sprinkler.board import Board

    App(Board(machine, network, socket, select, time, os, open, closer, closer_config)).run()  # noqa: F821
