#!/usr/bin/env bash
# Records commands.pcap: the client is Python's driver for MongoDB; the server is a small program of our own (server.py),
# because the real one is no free program. Documents are put in and found, a command is refused, a log-in fails. Needs
# root; the password is made up for the recording.
here=$(cd "$(dirname "$0")" && pwd)
needed="/usr/bin/python3"
packages="apt-get install python3-pymongo iproute2 tcpdump"
. "$here/../../../../tests/lab.sh"

server /usr/bin/python3 "$here/server.py" &
listening 27017
record commands 'tcp port 27017'
client /usr/bin/python3 - <<'CLIENT'
import pymongo

at = dict(host="198.51.100.10", serverSelectionTimeoutMS=3000, directConnection=True, appname="bao-cao")
people = pymongo.MongoClient(**at).dan.nguoi
people.insert_many([{"ma": n, "ten": f"người {n}"} for n in range(3)])
list(people.find({"$where": "this.ma < 2", "ten": {"$regex": "^ng"}}))
for attempt in (
    lambda: people.database.command("shutdown"),
    lambda: pymongo.MongoClient(username="an", password="khong biet", authSource="dan", authMechanism="SCRAM-SHA-256", **at).dan.nguoi.find_one(),
    lambda: pymongo.MongoClient(username="binh", password="khong biet", authSource="$external", authMechanism="PLAIN", **at).dan.nguoi.find_one(),
):
    try:
        attempt()
    except pymongo.errors.OperationFailure:
        pass
CLIENT
recorded
