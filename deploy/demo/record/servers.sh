# The programs that answer on the stage: resolver, web servers, SSH. Sourced by record.sh; $work is its scratch folder.

# A certificate from the demo's own authority: certificate NAME HOST...
certificate() {
    local name=$1 names
    shift
    names=$(printf 'DNS:%s,' "$@")
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$name.key" -subj "/CN=$1" \
        -out "$work/$name.csr" 2>/dev/null
    openssl x509 -req -in "$work/$name.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 365 \
        -extfile <(echo "subjectAltName=${names%,}") -out "$work/$name.pem" 2>/dev/null
}

certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout "$work/ca.key" \
        -out "$work/ca.pem" -subj "/C=VN/O=Trung tam Chung thuc Mau/CN=Mau Root CA" 2>/dev/null
    certificate inet tin-tuc.example anh.tin-tuc.example thoi-tiet.example hoc-lieu.example ban-do.example \
        cap-nhat.phan-mem.example
    certificate portal cong.tinh.example
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout "$work/remote.key" -out "$work/remote.pem" \
        -subj "/CN=localhost" 2>/dev/null
}

# Pages of the public sites: text of a few sizes and pictures of random bytes behind a picture's header.
public_pages() {
    local n
    mkdir -p "$work/www"
    for n in 1 2 3 4 5 6; do
        { echo "<!doctype html><html lang=vi><title>Bài $n</title>"; seq -f "<p>Đoạn văn số %g của bài viết.</p>" $((n * 40)); } \
            > "$work/www/bai-$n.html"
        { printf '\377\330\377\340\0\020JFIF\0\001'; head -c $((n * 4000)) /dev/urandom; } > "$work/www/anh-$n.jpg"
    done
    cp "$work/www/bai-3.html" "$work/www/index.html"
    { printf 'PK\003\004'; head -c 60000 /dev/urandom; } > "$work/www/ban-va.zip"
}

nginx_start() {
    local host=$1 config=$2
    printf 'daemon on; pid %s/%s.pid; error_log %s/%s.log; events {} http { access_log off; gzip on;
        types { text/html html; image/jpeg jpg; application/zip zip; } default_type text/plain; %s }\n' \
        "$work" "$host" "$work" "$host" "$config" > "$work/$host.conf"
    on "$host" nginx -c "$work/$host.conf"
}

resolver_start() {
    cat > "$work/unbound.conf" <<CONFIG
server:
    interface: 198.51.100.53
    interface: 2001:db8:cafe:100::53
    outgoing-interface: 198.51.100.53
    access-control: 0.0.0.0/0 allow
    access-control: ::/0 allow
    module-config: "iterator"
    username: ""
    chroot: ""
    directory: "$work"
    pidfile: "$work/unbound.pid"
    use-syslog: no
    logfile: "$work/unbound.log"
    do-not-query-localhost: no
    domain-insecure: "example"
    local-zone: "example." nodefault
    qname-minimisation: no
remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-addr: 192.0.2.53
CONFIG
    on dc unbound -c "$work/unbound.conf"
}

ssh_start() {
    ssh-keygen -q -t ed25519 -N "" -f "$work/host_key"
    ssh-keygen -q -t ed25519 -N "" -f "$work/wrong_key"
    mkdir -p /run/sshd
    on dc /usr/sbin/sshd -h "$work/host_key" -o ListenAddress=198.51.100.20 -o PidFile="$work/sshd.pid" \
        -o UsePAM=no -o PasswordAuthentication=yes -o PermitRootLogin=no -o AllowUsers=nobody-here \
        -o MaxStartups=50 -E "$work/sshd.log"
}

servers_up() {
    local tls
    certificates
    public_pages
    on inet python3 "$here/names.py" 192.0.2.53 2001:db8:1::53 &
    on inet python3 "$here/outside.py" store &
    on remote python3 "$here/outside.py" remote "$work/remote.pem" "$work/remote.key" &
    on dc python3 "$here/portal.py" &
    tls="ssl_certificate $work/inet.pem; ssl_certificate_key $work/inet.key; root $work/www;"
    nginx_start inet "
        server { listen 192.0.2.10:80; listen [2001:db8:1::10]:80; listen 192.0.2.11:80; listen 192.0.2.12:80; root $work/www; }
        server { listen 192.0.2.10:443 ssl http2; listen [2001:db8:1::10]:443 ssl http2; $tls }
        server { listen 192.0.2.11:443 ssl; ssl_protocols TLSv1.2; $tls }
        server { listen 192.0.2.12:443 ssl; $tls }"
    tls="ssl_certificate $work/portal.pem; ssl_certificate_key $work/portal.key;"
    nginx_start dc "
        server { listen 198.51.100.10:80; listen [2001:db8:cafe:100::10]:80; listen 198.51.100.10:443 ssl;
                 listen [2001:db8:cafe:100::10]:443 ssl; $tls location / { proxy_pass http://127.0.0.1:8081; } }
        server { listen 198.51.100.30:80; return 200 'camera cong chinh\\n'; }"
    resolver_start
    ssh_start
}

# Waits until everything answers (on the host itself, so that the recording shows none of it).
servers_ready() {
    local tries=0
    until on dc curl -sf -o /dev/null http://198.51.100.10/ && on dc dig +short +tries=1 +time=1 @198.51.100.53 tin-tuc.example | grep -q . \
        && on inet curl -sf -o /dev/null http://192.0.2.80/ && on remote curl -skf -o /dev/null https://192.0.2.99:8443/ \
        && on inet curl -skf -o /dev/null https://192.0.2.12/; do
        tries=$((tries + 1))
        [ "$tries" -lt 50 ] || { echo "the servers of the stage do not answer; see $work/*.log" >&2; return 1; }
        sleep 0.2
    done
}
