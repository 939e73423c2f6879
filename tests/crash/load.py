"""What the writers under load in Python share. Load.java has the same."""

import sys
import threading


def value_of(topic, number):
    return f"{topic} {number} " + chr(ord("a") + number % 26) * (number * 7919 % 3000)


def end_of_input():
    """An event that is set once standard input is at its end."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    return stop
