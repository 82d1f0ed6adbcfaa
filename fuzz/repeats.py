#!/usr/bin/env python3
"""Writes inputs of one or two words of a dictionary over and over, which is what turns quadratic parsers slow:

    python3 fuzz/repeats.py DICTIONARY BYTES FOLDER [PREFIX]

then run a target once on each of them and look at the milliseconds: fuzz/target/…/TARGET FOLDER/*"""
import ast
import pathlib
import random
import sys

PAIRS = 150


def main():
    dictionary, size, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    prefix = sys.argv[4].encode() if len(sys.argv) > 4 else b""
    lines = pathlib.Path(dictionary).read_text().splitlines()
    words = [ast.literal_eval("b" + line) for line in lines if line.startswith('"')]
    words += [b" ", b"\n", b"a", b"a ", b"&", b"<", b"\\", b".", b"\xc3\xa9", b"1"]
    chance = random.Random(7)
    units = [(word, b"") for word in words]
    units += [(a + b, b"") for a, b in (chance.sample(words, 2) for _ in range(PAIRS))]
    units += [(a, b) for a, b in (chance.sample(words, 2) for _ in range(PAIRS))]
    folder.mkdir(parents=True, exist_ok=True)
    for number, (first, second) in enumerate(units):
        room = size // 2 if second else size
        data = first * (room // len(first)) + (second * (room // len(second)) if second else b"")
        (folder / f"{number:03}").write_bytes(prefix + data)


main()
