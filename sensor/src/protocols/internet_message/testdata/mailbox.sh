#!/usr/bin/env bash
# Serves one mailbox by Dovecot (POP3 on 110, IMAP on 143, TLS on request) until it is stopped. The user is `an`; any
# password is right. Needs root, dovecot and openssl.
set -eu
work=$(mktemp -d -t luytre-mailbox.XXXXXX)
trap 'dovecot -c "$work/dovecot.conf" stop 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 0' INT TERM
chmod 755 "$work"
mkdir -p "$work/mail/an/cur" "$work/mail/an/new" "$work/mail/an/tmp" "$work/run"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=thu.tinh.example -days 30 \
    -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
printf '%s\r\n' 'Return-Path: <an@xa.example>' 'Received: from may-01.xa.example by thu.tinh.example; Sun, 22 Nov 2026 15:00:01 +0700' \
    'From: =?utf-8?B?Tmd1eeG7hW4gVsSDbiBBbg==?= <an@xa.example>' 'To: binh@tinh.example' \
    'Subject: =?utf-8?Q?L=E1=BB=8Bch_h=E1=BB=8Dp?=' 'Message-ID: <lich.hop@xa.example>' \
    'Date: Sun, 22 Nov 2026 15:00:00 +0700' 'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary=phan' '' \
    '--phan' 'Content-Type: text/plain; charset=utf-8' '' 'Mời họp.' '..' '--phan' \
    "Content-Type: application/octet-stream; name*=utf-8''l%E1%BB%8Bch.bin" 'Content-Transfer-Encoding: base64' '' \
    'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' '--phan--' >"$work/mail/an/new/1.M1.thu"
chown -R mail:mail "$work/mail"
cat >"$work/dovecot.conf" <<CONF
base_dir = $work/run
protocols = imap pop3
listen = 198.51.100.7
log_path = $work/log
ssl = yes
ssl_cert = <$work/certificate.pem
ssl_key = <$work/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:$work/mail/%u
first_valid_uid = 1
mail_uid = mail
mail_gid = mail
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=mail gid=mail home=$work/mail/%u
}
CONF
dovecot -F -c "$work/dovecot.conf" &
wait $!
