#!/bin/sh
# Records OpenSSH between two namespaces (root; needs openssh-server, openssh-client, tcpdump, iproute2):
#   logins.pcap   a log-in by key after a wrong one, then three wrong passwords, each with other algorithms
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../../../../tests/record/namespaces.sh"

for name in host right wrong; do ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$WORK/$name"; done
cp "$WORK/right.pub" "$WORK/allowed"
cat >"$WORK/sshd_config" <<END
ListenAddress 198.51.100.7
HostKey $WORK/host
AuthorizedKeysFile $WORK/allowed
StrictModes no
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
PidFile none
END
mkdir -p /run/sshd
serve "$(command -v sshd)" -D -e -f "$WORK/sshd_config"
listening 22

printf '#!/bin/sh\nod -An -N6 -tx1 /dev/urandom\n' >"$WORK/guess"
chmod +x "$WORK/guess"
client() {
    on_client env HOME="$WORK" SSH_AUTH_SOCK= SSH_ASKPASS="$WORK/guess" SSH_ASKPASS_REQUIRE=force \
        ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes "$@" \
        root@198.51.100.7 true </dev/null || true
}

record logins
client -i "$WORK/wrong" -i "$WORK/right" -o PreferredAuthentications=publickey
client -o PreferredAuthentications=password -o NumberOfPasswordPrompts=3 -c aes128-ctr -m hmac-sha2-256 \
    -o KexAlgorithms=diffie-hellman-group-exchange-sha256
recorded
