"""What a writer under load writes. Load.java has the same."""


def value_of(topic, number):
    return f"{topic} {number} " + chr(ord("a") + number % 26) * (number * 7919 % 3000)
