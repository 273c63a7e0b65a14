//! Conversations with databases and file servers, for the tests of hostile input.

use super::{Turn, client, server};

/// A message of PostgreSQL.
fn pg(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

/// PostgreSQL: a wish for TLS that is refused, a log-in with a password, a statement, a prepared one, an error.
fn postgresql() -> Vec<Turn> {
    let parameters = b"\0\x03\0\0user\0an\0database\0dan\0application_name\0thu\0\0";
    let login = [&(parameters.len() as u32 + 4).to_be_bytes()[..], parameters].concat();
    let prepared =
        [pg(b'P', b"s\0SELECT $1\0\0\0"), pg(b'B', b"\0s\0\0\0\0\x01\0\0\0\x017\0\0"), pg(b'E', b"\0\0\0\0\0")];
    let ready = pg(b'Z', b"I");
    vec![
        client(b"\0\0\0\x08\x04\xd2\x16\x2f"),
        server(b"N"),
        client(&login),
        server(&pg(b'R', b"\0\0\0\x03")),
        client(&pg(b'p', b"bi mat\0")),
        server(
            &[pg(b'R', b"\0\0\0\0"), pg(b'S', b"server_version\x0015.1\0"), pg(b'K', b"\0\0\0\x07khoa"), ready.clone()]
                .concat(),
        ),
        client(&pg(b'Q', b"SELECT ten FROM dan\0")),
        server(&[pg(b'T', b"\0\x01ten\0"), pg(b'D', &[b'x'; 20_000]), pg(b'C', b"SELECT 1\0"), ready.clone()].concat()),
        client(&[prepared.concat(), pg(b'S', b"")].concat()),
        server(&[pg(b'1', b""), pg(b'2', b""), pg(b'C', b"SELECT 0\0"), ready.clone()].concat()),
        client(&pg(b'Q', b"ALTER ROLE an PASSWORD 'bi mat'\0")),
        server(&[pg(b'E', b"SERROR\0C42501\0Mkhong duoc\0\0"), ready].concat()),
        client(&pg(b'X', b"")),
    ]
}

/// A packet of MySQL.
fn my(number: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_le_bytes();
    [&length[..3], &[number], body].concat()
}

/// MySQL: greeting and log-in, a statement with rows, a prepared one, an error, a local file.
fn mysql() -> Vec<Turn> {
    let mut greeting = b"\x0a8.0.33\0\x07\0\0\0abcdefgh\0\xff\xf7\x21\x02\0\xff\x81\x15".to_vec();
    greeting.extend([0; 10]);
    greeting.extend(b"ijklmnopqrst\0mysql_native_password\0");
    let mut login = b"\x0d\xa2\x08\0\0\0\0\x01\x21".to_vec();
    login.extend([0; 23]);
    login.extend(b"an\0\x03abcdan\0mysql_clear_password\0");
    let ok = b"\0\0\0\x02\0\0\0";
    let rows =
        [my(1, b"\x01"), my(2, b"\x03def cot"), my(3, b"\xfe\0\0\x02\0"), my(4, b"\x01a"), my(5, b"\xfe\0\0\x02\0")];
    vec![
        server(&my(0, &greeting)),
        client(&my(1, &login)),
        server(&my(2, ok)),
        client(&my(0, b"\x03SELECT ten FROM dan")),
        server(&rows.concat()),
        client(&my(0, b"\x16SELECT ?")),
        server(&[my(1, b"\0\x05\0\0\0\x01\0\x01\0\0\0\0"), my(2, b"\x03def"), my(3, b"\xfe\0\0\x02\0")].concat()),
        client(&my(0, b"\x17\x05\0\0\0\0\x01\0\0\0")),
        server(&my(1, b"\xff\x7a\x04#42S02khong co")),
        client(&my(0, b"\x03LOAD DATA LOCAL INFILE 'a'")),
        server(&my(1, b"\xfba.txt")),
        client(&[my(2, &[b'x'; 30_000]), my(3, b"")].concat()),
        server(&my(4, b"\0\x02\0\x02\0\0\0")),
        client(&my(0, b"\x01")),
    ]
}

/// A packet of TDS.
fn tds_packet(kind: u8, last: bool, body: &[u8]) -> Vec<u8> {
    [&[kind, u8::from(last)][..], &(body.len() as u16 + 8).to_be_bytes(), &[0, 0, 1, 0], body].concat()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// TDS: what comes before a log-in, statements in two packets, an error.
fn tds() -> Vec<Turn> {
    let prelogin = b"\0\0\x0b\0\x06\x01\0\x11\0\x01\xff\x10\0\0\0\0\0\x02";
    let statement = wide("SELECT ten FROM dan");
    let (first, rest) = statement.split_at(10);
    let error =
        [&b"\xaa\x1a\0\xd0\0\0\0\x01\x10\x04\0"[..], &wide("Sai!"), &[0; 10], b"\xfd\x02\0\0\0\0\0\0\0\0\0\0\0"]
            .concat();
    vec![
        client(&tds_packet(18, true, prelogin)),
        server(&tds_packet(4, true, prelogin)),
        client(&[tds_packet(1, false, first), tds_packet(1, true, rest)].concat()),
        server(
            &[tds_packet(4, false, &[0x81; 4000]), tds_packet(4, true, b"\xfd\x10\0\xc1\0\x07\0\0\0\0\0\0\0")].concat(),
        ),
        client(&tds_packet(3, true, &[&b"\x02\0"[..], &wide("sp"), b"\0\0"].concat())),
        server(&tds_packet(4, true, &error)),
        client(&tds_packet(6, true, b"")),
    ]
}

/// Redis: a log-in, a list that nests, a text longer than what is kept, a subscription, a plain line.
fn redis() -> Vec<Turn> {
    let long = [&b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9000\r\n"[..], &[b'x'; 9000], b"\r\n"].concat();
    vec![
        client(b"*3\r\n$4\r\nAUTH\r\n$2\r\nan\r\n$6\r\nbi mat\r\n"),
        server(b"-WRONGPASS khong phai\r\n"),
        client(&[&long[..], b"*1\r\n$4\r\nEXEC\r\n"].concat()),
        server(b"+OK\r\n*2\r\n:7\r\n*1\r\n$-1\r\n"),
        client(b"*2\r\n$9\r\nSUBSCRIBE\r\n$3\r\ntin\r\n"),
        server(b"*3\r\n$9\r\nsubscribe\r\n$3\r\ntin\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$3\r\ntin\r\n$1\r\na\r\n"),
        client(b"ping\r\n"),
        server(b"+PONG\r\n"),
    ]
}

/// A record of a remote procedure call: program, version, procedure, what is asked.
fn call(xid: u8, target: [u32; 3], body: &[u8]) -> Vec<u8> {
    let target: Vec<u8> = target.iter().flat_map(|part| part.to_be_bytes()).collect();
    let caller = b"\0\0\0\x01\0\0\0\x18\0\0\0\x07\0\0\0\x04may1\0\0\0\x05\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0\0";
    record(&[&[0, 0, 0, xid, 0, 0, 0, 0, 0, 0, 0, 2][..], &target, caller, body].concat())
}

fn answer(xid: u8, body: &[u8]) -> Vec<u8> {
    record(&[&[0, 0, 0, xid, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], body].concat())
}

fn record(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32 | 0x8000_0000).to_be_bytes()[..], message].concat()
}

/// The port mapper: where a program is, and one that is not answered.
fn mapper() -> Vec<Turn> {
    vec![
        client(&call(1, [100_000, 2, 3], b"\0\x01\x86\xa3\0\0\0\x03\0\0\0\x06\0\0\0\0")),
        server(&answer(1, b"\0\0\x08\x01")),
        client(&call(2, [100_000, 2, 4], b"")),
    ]
}

/// NFS: a file is found, written in two pieces, read; version 4 in one call.
fn files() -> Vec<Turn> {
    let handle = b"\0\0\0\x04abcd";
    let write = [&handle[..], &[0; 8], b"\0\0\x75\x30\0\0\0\0\0\0\x75\x30", &[b'x'; 30_000]].concat();
    let compound = b"\0\0\0\0\0\0\0\x01\0\0\0\x03\0\0\0\x18\0\0\0\x0f\0\0\0\x03moi\0\0\0\0\x0a";
    vec![
        client(&call(1, [100_003, 3, 3], &[&handle[..], b"\0\0\0\x03cu\x20\0"].concat())),
        server(&answer(1, &[b"\0\0\0\0\0\0\0\x04efgh"[..].to_vec(), vec![0; 8]].concat())),
        client(&[call(2, [100_003, 3, 7], &write), call(3, [100_003, 3, 7], &write)].concat()),
        server(&[answer(2, &[0; 20]), answer(3, b"\0\0\0\x0d\0\0\0\0\0\0\0\0")].concat()),
        client(&call(4, [100_003, 4, 1], compound)),
        server(&answer(4, b"\0\0\0\x02\0\0\0\0\0\0\0\0")),
    ]
}

/// A message of MongoDB.
fn mongo(id: u8, answers: u8, kind: u16, body: &[u8]) -> Vec<u8> {
    let kind = kind.to_le_bytes();
    [&(body.len() as u32 + 16).to_le_bytes()[..], &[id, 0, 0, 0, answers, 0, 0, 0, kind[0], kind[1], 0, 0], body]
        .concat()
}

/// MongoDB: a command with a list of documents, one that fails.
fn mongodb() -> Vec<Turn> {
    let insert = b"\0\0\0\0\0\x1e\0\0\0\x02insert\0\x02\0\0\0a\0\x02$db\0\x02\0\0\0d\0\0\x01\x18\0\0\0docs\0\x05\0\0\0\0\x05\0\0\0\0\x05\0\0\0\0";
    let failed = b"\0\0\0\0\0\x1b\0\0\0\x01ok\0\0\0\0\0\0\0\0\0\x10code\0\x0d\0\0\0\0\0\0";
    let fine = b"\0\0\0\0\0\x11\0\0\0\x01ok\0\0\0\0\0\0\0\xf0\x3f\0";
    vec![
        client(&mongo(1, 0, 2013, insert)),
        server(&mongo(9, 1, 2013, fine)),
        client(&[mongo(2, 0, 2013, insert), mongo(3, 0, 2004, b"\0\0\0\0a.b\0\0\0\0\0\0\0\0\0\x05\0\0\0\0")].concat()),
        server(&mongo(10, 2, 2013, failed)),
    ]
}

/// A packet of Oracle's network layer.
fn tns_packet(kind: u8, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16 + 8).to_be_bytes()[..], &[0, 0, kind, 0, 0, 0], body].concat()
}

/// Oracle: a wish whose description follows in another packet, and a refusal.
fn tns() -> Vec<Turn> {
    let description = b"(DESCRIPTION=(CONNECT_DATA=(SID=dan)(CID=(HOST=may1))))";
    let mut wish = b"\x01\x3c\x01\x2c\0\0\x20\0\xff\xff\x7f\x08\0\0\x01\0".to_vec();
    wish.extend((description.len() as u16).to_be_bytes());
    wish.extend([0, 34, 0, 0, 0, 0, 0, 0]);
    vec![
        client(&[tns_packet(1, &wish), tns_packet(6, &[b"\0\0", &description[..]].concat())].concat()),
        server(&tns_packet(4, b"\x22\0\0\x0b(ERR=12505)")),
    ]
}

/// RTSP: a description, and a stream between the messages.
fn camera() -> Vec<Turn> {
    vec![
        client(b"DESCRIBE rtsp://cam.example/1 RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Basic YW46eA==\r\n\r\n"),
        server(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 20\r\n\r\ns=a\r\nm=video 0 RTP\r\n"),
        client(b"PLAY rtsp://cam.example/1 RTSP/1.0\r\nCSeq: 2\r\n\r\n"),
        server(b"$\0\0\x05abcdeRTSP/1.0 454 Session Not Found\r\nCSeq: 2\r\n\r\n$\x01\0\x02ab"),
    ]
}

/// Conversations that begin with words by which their protocol is known.
pub fn conversations() -> Vec<(&'static str, Vec<Turn>)> {
    vec![
        ("postgresql", postgresql()),
        ("tds", tds()),
        ("redis", redis()),
        ("sunrpc", mapper()),
        ("nfs", files()),
        ("mongodb", mongodb()),
        ("tns", tns()),
        ("rtsp", camera()),
    ]
}

/// Those that the server begins.
pub fn greeted() -> Vec<(&'static str, Vec<Turn>)> {
    vec![("mysql", mysql())]
}

/// How many events each of them gives; none has files.
pub static TOLD: &[(&str, usize)] = &[
    // The refused wish, the log-in, three statements.
    ("postgresql", 5),
    // Log-in, statement, prepared, executed, the file.
    ("mysql", 5),
    // Prelogin, statements, a call, the end.
    ("tds", 4),
    // Log-in, a text, a list, a subscription, a plain line.
    ("redis", 5),
    ("sunrpc", 2),
    // Found, refused, the compound; what was written of it in one.
    ("nfs", 4),
    ("mongodb", 3),
    ("tns", 1),
    // Two requests, and the stream.
    ("rtsp", 3),
];
