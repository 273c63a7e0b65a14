"""Asks SQLite (FTS5) and zgrep what `history` asks the collector's index, over the same events.

python3 collector/benches/others.py FOLDER: FOLDER/lines.jsonl is what `history` wrote. Needs Python 3 with SQLite 3.38 or
newer, and zgrep. Each question is asked three times, the middle one counts; all of it is warm.
"""

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import time


def middle(ask):
    times = []
    for _ in range(3):
        began = time.perf_counter()
        found = ask()
        times.append((time.perf_counter() - began) * 1000)
    return found, sorted(times)[1]


def words(value):
    if isinstance(value, dict):
        return " ".join(words(inner) for inner in value.values())
    if isinstance(value, list):
        return " ".join(words(inner) for inner in value)
    return str(value)


def main(folder):
    lines = os.path.join(folder, "lines.jsonl")
    path = os.path.join(folder, "events.sqlite")
    if os.path.exists(path):
        os.remove(path)
    store = sqlite3.connect(path)
    store.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "CREATE TABLE events (id INTEGER PRIMARY KEY, time TEXT, dataset TEXT, source_ip TEXT, name TEXT, source TEXT);"
        "CREATE INDEX by_time ON events (time);"
        "CREATE VIRTUAL TABLE words USING fts5(text, content='');"
    )
    began, count, needle, first, last = time.perf_counter(), 0, None, None, None
    with open(lines, encoding="utf-8") as source:
        for line in source:
            event = json.loads(line)
            count += 1
            name = event.get("dns", {}).get("question", {}).get("name")
            if name and name.startswith("x"):
                needle = name
            first, last = first or event["@timestamp"], event["@timestamp"]
            row = (count, event["@timestamp"], event["event"]["dataset"], event["source"]["ip"], name, line)
            store.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", row)
            store.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (count, words(event)))
            if count % 20000 == 0:
                store.commit()
    store.commit()
    took = time.perf_counter() - began
    print(f"SQLite {sqlite3.sqlite_version}: {count} events, {count / took:.0f} a second, "
          f"{os.path.getsize(path) / count:.0f} bytes each, {first} to {last}")
    asked = [
        ("a word anywhere", "SELECT count(*) FROM words WHERE words MATCH ?", ('"%s"' % needle,)),
        ("top 20 sources of all of them", "SELECT source_ip, count(*) FROM events WHERE time >= ? AND time <= ? "
         "GROUP BY 1 ORDER BY 2 DESC LIMIT 20", (first, last)),
        ("timeline of all of them, by hour", "SELECT substr(time, 1, 13), count(*) FROM events GROUP BY 1", ()),
    ]
    print("| question | SQLite, ms |")
    for name, query, values in asked:
        _, took = middle(lambda: store.execute(query, values).fetchall())
        print(f"| {name} | {took:.1f} |")
    packed = lines + ".gz"
    with open(lines, "rb") as source, gzip.open(packed, "wb", 6) as out:
        for piece in iter(lambda: source.read(1 << 20), b""):
            out.write(piece)
    print(f"gzip: {os.path.getsize(packed) / count:.0f} bytes each")
    _, took = middle(lambda: subprocess.run(["zgrep", "-c", needle, packed], capture_output=True, check=True))
    print(f"| a word anywhere, zgrep | {took:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1])
