"""Made-up requests to every route of a running console, as every role, by Schemathesis (https://schemathesis.io).

Comes in: the console's address and its one-time token (LUYTRE_CONSOLE, LUYTRE_TOKEN), a time, a seed. Goes out: what was
found, and 1 where anything was. `cargo xtask fuzz-api` starts it with all it needs, and with a store that is thrown away.
"""

import argparse
import json
import os
import pathlib
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

ROLES = ["analyst", "manager", "agency", "auditor", "admin"]
PASSWORD = "Mot mat khau dai cho buoi thu 1"
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
# A stream never ends, and who logs out finds no more.
LEFT_OUT = ["GET /api/v1/live", "DELETE /api/v1/session"]
# The console lets one address make 100 requests a second on average.
RATE = "90/s"


class Person:
    """Somebody with a session."""

    def __init__(self, console, cookie, csrf):
        self.console, self.cookie, self.csrf = console, cookie, csrf

    def send(self, method, path, body):
        return send(self.console, method, path, body, {"Cookie": self.cookie, "x-csrf-token": self.csrf})[0]


def send(console, method, path, body=None, headers=None):
    """Sends JSON; answers the JSON and the session's cookie."""
    trust_all = ssl.create_default_context()
    trust_all.check_hostname = False
    trust_all.verify_mode = ssl.CERT_NONE
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(console + path, data=data, method=method, headers=headers or {})
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, context=trust_all, timeout=60) as answer:
        cookie = (answer.headers.get("set-cookie") or "").split(";")[0]
        return json.loads(answer.read() or b"null"), cookie


def set_up(console, token, name=None):
    body = {"token": token, "password": PASSWORD}
    if name:
        body |= {"name": name, "display_name": name}
    info, cookie = send(console, "POST", "/api/v1/setup", body)
    return Person(console, cookie, info["csrf_token"])


def newcomer(admin, role, agency):
    """A new user of a role, logged in."""
    new = {"name": f"thu-{role}", "display_name": f"Thử {role}", "role": role}
    if role == "agency" and agency:
        new["agency_id"] = agency
    invitation = admin.send("POST", "/api/v1/users", new)
    return set_up(admin.console, invitation["link"].split("#token=")[1])


def run(description, person, role, options):
    command = [pathlib.Path(sys.executable).with_name("schemathesis"), "run", description, "--url", person.console]
    command += ["--header", f"Cookie: {person.cookie}", "--header", f"x-csrf-token: {person.csrf}"]
    command += ["--tls-verify", "false", "--checks", ",".join(CHECKS), "--rate-limit", RATE, "--no-color"]
    command += ["--max-time", str(options.seconds), "--seed", str(options.seed), "--request-timeout", "60"]
    command += ["--max-examples", str(options.examples), "--generation-database", "none", "--warnings", "off"]
    command += ["--suppress-health-check", "all", "--continue-on-failure"]
    for left_out in LEFT_OUT:
        command += ["--exclude-name", left_out]
    print(f"\n== {role}", flush=True)
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    return subprocess.run([str(part) for part in command], env=environment).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--description", required=True, help="the console's openapi.json")
    parser.add_argument("--seconds", type=int, default=60, help="how long each role has")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=20, help="how many requests are made up for a route at most")
    parser.add_argument("--role", choices=ROLES, action="append", help="only these")
    options = parser.parse_args()
    admin = set_up(os.environ["LUYTRE_CONSOLE"], os.environ["LUYTRE_TOKEN"], "root")
    agencies = admin.send("GET", "/api/v1/agencies", None)["items"]
    agency = agencies[0]["id"] if agencies else None
    found = {}
    for role in options.role or ROLES:
        found[role] = run(options.description, newcomer(admin, role, agency), role, options)
    print()
    for role, code in found.items():
        print(f"{role:<8} {'nothing was found' if code == 0 else 'something was found, see above'}")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
