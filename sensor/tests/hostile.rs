//! What no parser of the table may do, whatever it is fed: panic, depend on how a stream is cut into pieces, or leave a
//! file open. Conversations are real ones, random ones, and real ones with bytes changed.

mod databases;
mod windows;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;

use luytre_events::{DatasetId, FieldId, Transport, Value};
use luytre_sensor::protocols::{
    Direction, End, Expected, FileMeta, FileToken, Output, PROTOCOLS, Parser, Probe, Progress, Protocol,
};
use proptest::prelude::*;

/// A piece of a conversation: who speaks, and what.
type Turn = (Direction, Vec<u8>);

/// Keeps what a parser says. Files are kept by what they hold; pieces do not matter.
#[derive(Default)]
struct Kept {
    events: Vec<(DatasetId, Vec<(FieldId, Value)>)>,
    files: Vec<(Option<String>, Vec<u8>, bool)>,
    open: BTreeMap<u32, (Option<String>, Vec<u8>)>,
    next: u32,
}

impl Output for Kept {
    fn time_ns(&self) -> i64 {
        1_795_348_800_000_000_000
    }
    fn event(&mut self, body: (DatasetId, Vec<(FieldId, Value)>)) {
        self.events.push(body);
    }
    fn anomaly(&mut self, _name: &'static str) {}
    /// What is shown to signatures is read from the same bytes.
    fn inspects(&self) -> bool {
        true
    }
    fn ends(&self) -> (End, End) {
        (([192, 0, 2, 10].into(), 40_000), ([198, 51, 100, 7].into(), 80))
    }
    fn expect(&mut self, _expected: Expected) {}
    fn file_open(&mut self, meta: FileMeta) -> Option<FileToken> {
        self.next += 1;
        self.open.insert(self.next, (meta.name, Vec::new()));
        Some(FileToken(self.next))
    }
    fn file_data(&mut self, file: FileToken, bytes: &[u8]) {
        self.open.get_mut(&file.0).expect("bytes of a file that is not open").1.extend_from_slice(bytes);
    }
    fn file_close(&mut self, file: FileToken, complete: bool) {
        let (name, content) = self.open.remove(&file.0).expect("the end of a file that is not open");
        self.files.push((name, content, complete));
    }
}

/// Hands a conversation to a parser until it is done, and ends the flow.
fn play(parser: &mut dyn Parser, turns: &[Turn]) -> Kept {
    let mut kept = Kept::default();
    for (direction, bytes) in turns {
        if parser.data(&mut kept, *direction, bytes) == Progress::Done {
            break;
        }
    }
    parser.finish(&mut kept);
    assert!(kept.open.is_empty(), "a file stays open");
    kept
}

fn protocol(name: &str) -> &'static Protocol {
    PROTOCOLS.iter().find(|p| p.name == name).unwrap()
}

fn client(bytes: &[u8]) -> Turn {
    (Direction::ToServer, bytes.to_vec())
}

fn server(bytes: &[u8]) -> Turn {
    (Direction::ToClient, bytes.to_vec())
}

fn web() -> Vec<Turn> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&b"trang ".repeat(500)).unwrap();
    let packed = gzip.finish().unwrap();
    let mut page =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len()).into_bytes();
    page.extend(packed);
    let form = b"--B\r\nContent-Disposition: form-data; name=\"mat_khau\"\r\n\r\nbi mat\r\n--B\r\n\
        Content-Disposition: form-data; name=f; filename=anh.php\r\n\r\n<?php\r\n--B--\r\n";
    let mut upload = format!(
        "POST /gui HTTP/1.1\r\nHost: cong.tinh.example\r\nContent-Type: multipart/form-data; boundary=B\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        form.len()
    )
    .into_bytes();
    upload.extend(form);
    vec![
        client(b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\nHEAD /b HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        client(&upload),
        server(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
        client(b"GET /nen HTTP/1.1\r\n\r\n"),
        server(&page),
        client(b"CONNECT x.example:80 HTTP/1.1\r\n\r\n"),
        server(b"HTTP/1.1 200 OK\r\n\r\n"),
        client(b"GET /trong HTTP/1.0\r\n\r\n"),
        server(b"foobar\r\nHTTP/1.0 200 OK\r\n\r\nuntil the end"),
    ]
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_be_bytes()[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// HTTP/2 from its first byte: a page, a form in padded pieces, a query of DNS, a request without an answer.
fn streams() -> Vec<Turn> {
    let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04cong\x04tinh\x07example\0\0\x01\0\x01";
    // Method, scheme, path, authority (into the table); what follows refers to the table.
    let first = b"\x82\x86\x84\x41\x0ccong.example";
    let opening = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[0, 3, 0, 0, 0, 100])];
    let mut answer = query.to_vec();
    answer[2] = 0x81;
    vec![
        client(&[opening.concat(), frame(1, 0x5, 1, first)].concat()),
        server(
            &[frame(4, 0, 0, &[]), frame(4, 1, 0, &[]), frame(1, 0, 1, b"\x88"), frame(9, 4, 1, b"\x76\x04cong")]
                .concat(),
        ),
        client(&frame(1, 0x4 | 0x8 | 0x20, 3, b"\x02\0\0\0\0\x10\x83\x86\x44\x04/gui\xbe\0\0")),
        server(&[frame(0, 0, 1, b"<p>trang"), frame(0, 1, 1, b"</p>")].concat()),
        client(&[frame(0, 0x8, 3, b"\x03ten=An\0\0\0"), frame(0, 0x9, 3, b"\x01&mat_khau=x\0")].concat()),
        server(&frame(1, 0x5, 3, b"\x48\x03201\xbf")),
        client(&[frame(1, 0x4, 5, b"\x83\x86\x84\x5f\x17application/dns-message"), frame(0, 1, 5, query)].concat()),
        server(&[frame(1, 0x4, 5, b"\x88\x5f\x17application/dns-message"), frame(0, 1, 5, &answer)].concat()),
        client(&frame(1, 0x5, 7, b"\x82\x86\x85\xbf")),
        client(&[frame(2, 0, 9, &[0, 0, 0, 0, 200]), frame(3, 0, 11, &[0, 0, 0, 8])].concat()),
        server(&frame(7, 0, 0, &[0; 8])),
    ]
}

/// The same by an upgrade: the first stream answers the request of HTTP/1.
fn upgrade() -> Vec<Turn> {
    let mut turns = streams();
    turns.truncate(4);
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    turns[0] = client(&[preface, frame(4, 0, 0, &[])].concat());
    turns[2] = client(&frame(8, 0, 0, &[0, 0, 1, 0]));
    let asked = b"GET /cu HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let granted = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    turns.splice(0..0, [client(asked), server(granted)]);
    turns
}

/// A change to WebSocket: a text in two frames with a ping between them, bytes, a close with its reason.
fn frames() -> Vec<Turn> {
    let asked = b"GET /kenh HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let granted = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
    let masked = |first: u8, payload: &[u8]| {
        let hidden = payload.iter().zip(b"khoa".iter().cycle()).map(|(byte, key)| byte ^ key);
        [vec![first, 0x80 | payload.len() as u8], b"khoa".to_vec(), hidden.collect()].concat()
    };
    vec![
        client(asked),
        server(&[&granted[..], b"\x81\x04chao"].concat()),
        client(&[masked(0x01, b"xin "), masked(0x89, b""), masked(0x80, b"chao")].concat()),
        server(&[b"\x8a\x00\x82\x7e\x01\x00".as_slice(), &[0xee; 256]].concat()),
        client(&masked(0x88, b"\x03\xe8het")),
    ]
}

/// A session of SMTP: a log-in, a message in parts with an attachment, one in chunks, one that is refused.
fn mail() -> Vec<Turn> {
    let message =
        b"From: =?utf-8?Q?T=E1=BB=89nh?= <an@xa.example>\r\nSubject: a\r\n b\r\nContent-Type: multipart/mixed;\r\n \
        boundary=B\r\n\r\n--B\r\n\r\n..a\r\n--B\r\nContent-Disposition: attachment; filename=a.bin\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAwQF\r\n--B--\r\n.\r\n";
    vec![
        client(b"EHLO a.example\r\n"),
        server(b"220 thu ESMTP\r\n250-thu\r\n250 CHUNKING\r\n"),
        client(b"AUTH LOGIN\r\n"),
        server(b"334 VXNlcm5hbWU6\r\n"),
        client(b"YW4=\r\n"),
        server(b"334 UGFzc3dvcmQ6\r\n"),
        client(b"YmkgbWF0\r\n"),
        server(b"235 ok\r\n"),
        client(b"MAIL FROM:<an@xa.example>\r\nRCPT TO:<b@xa.example>\r\nRCPT TO:<c@xa.example>\r\nDATA\r\n"),
        server(b"250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n"),
        client(message),
        server(b"250 ok\r\n"),
        client(b"MAIL FROM:<>\r\nRCPT TO:<b@xa.example>\r\nBDAT 12\r\nSubject: x\r\nBDAT 6 LAST\r\n\r\nab\r\n"),
        server(b"250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n"),
        client(b"MAIL FROM:<d@xa.example>\r\nDATA\r\n"),
        server(b"250 ok\r\n503 no\r\n"),
        client(b"QUIT\r\n"),
        server(b"221 bye\r\n"),
    ]
}

/// A session of POP3: a log-in, lists, a message that ends with its dot.
fn fetched() -> Vec<Turn> {
    vec![
        client(b"CAPA\r\n"),
        server(b"+OK\r\nTOP\r\n.\r\n"),
        client(b"USER an\r\nPASS bi mat\r\nLIST\r\nRETR 1\r\nQUIT\r\n"),
        server(b"+OK\r\n+OK\r\n+OK 1\r\n1 20\r\n.\r\n+OK\r\nSubject: a\r\n\r\n..b\r\n.\r\n-ERR no\r\n"),
    ]
}

/// A session of IMAP: a log-in with a literal, a message fetched and one stored.
fn kept_mail() -> Vec<Turn> {
    vec![
        client(b"a1 CAPABILITY\r\n"),
        server(b"* CAPABILITY IMAP4rev1\r\na1 OK done\r\n"),
        client(b"a2 LOGIN {2}\r\nan \"bi mat\"\r\na3 SELECT INBOX\r\n"),
        server(b"+ go\r\na2 OK done\r\n* 1 EXISTS\r\na3 OK done\r\n"),
        client(b"a4 FETCH 1 (BODY[])\r\na5 APPEND INBOX {16+}\r\nSubject: b\r\n\r\nab\r\n"),
        server(b"* 1 FETCH (BODY[] {14}\r\nSubject: a\r\n\r\n)\r\na4 OK done\r\na5 NO full\r\n"),
    ]
}

fn names() -> Vec<Turn> {
    let mut query = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x04cong\x04tinh\x07example\0\0\x01\0\x01".to_vec();
    let mut answer = query.clone();
    answer[2] = 0x81;
    answer[7] = 1;
    answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04\xc6\x33\x64\x07");
    let frame = |message: &[u8]| [&(message.len() as u16).to_be_bytes()[..], message].concat();
    let twice = [frame(&query), frame(&query)].concat();
    query.truncate(20);
    vec![client(&twice), server(&[frame(&answer), frame(&answer)].concat()), client(&frame(&query))]
}

/// A real handshake between two ends of rustls.
fn handshake(version: &'static rustls::SupportedProtocolVersion) -> Vec<Turn> {
    let key = rcgen::generate_simple_self_signed(vec!["cong.tinh.example".into()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(key.cert.der().clone()).unwrap();
    let mut client_config = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client_config.alpn_protocols = vec![b"h2".to_vec()];
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let server_config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    let name = rustls::pki_types::ServerName::try_from("cong.tinh.example").unwrap();
    let mut a = rustls::ClientConnection::new(Arc::new(client_config), name).unwrap();
    let mut b = rustls::ServerConnection::new(Arc::new(server_config)).unwrap();
    let mut turns = Vec::new();
    while a.wants_write() || b.wants_write() {
        let mut bytes = Vec::new();
        while a.wants_write() {
            a.write_tls(&mut bytes).unwrap();
        }
        b.read_tls(&mut bytes.as_slice().take(1 << 20)).unwrap();
        b.process_new_packets().unwrap();
        turns.push((Direction::ToServer, bytes));
        let mut bytes = Vec::new();
        while b.wants_write() {
            b.write_tls(&mut bytes).unwrap();
        }
        a.read_tls(&mut bytes.as_slice().take(1 << 20)).unwrap();
        a.process_new_packets().unwrap();
        turns.push((Direction::ToClient, bytes));
    }
    turns
}

/// MQTT: a log-in, a subscription, publications of all qualities, the last one longer than what is kept.
fn broker() -> Vec<Turn> {
    let packet = |first: u8, body: &[u8]| {
        let length = [body.len() as u8 & 0x7f | 0x80, (body.len() >> 7) as u8 & 0x7f | 0x80, (body.len() >> 14) as u8];
        [&[first][..], &length, body].concat()
    };
    let long = [&b"\0\x01c\0\x09"[..], &[b'm'; 40_000]].concat();
    vec![
        client(&packet(0x10, b"\0\x04MQTT\x04\xc2\0\x3c\0\x04tram\0\x02an\0\x02xx")),
        server(&packet(0x20, b"\0\0")),
        client(&[packet(0x82, b"\0\x07\0\x03a/#\x01"), packet(0x30, b"\0\x01amuc nuoc")].concat()),
        server(&packet(0x90, b"\0\x07\x01")),
        client(&[packet(0x32, b"\0\x01b\0\x08x"), packet(0x34, &long)].concat()),
        server(&[packet(0x40, b"\0\x08"), packet(0x50, b"\0\x09")].concat()),
        client(&packet(0x62, b"\0\x09")),
        server(&packet(0x70, b"\0\x09")),
        client(&packet(0xe0, b"")),
    ]
}

/// Syslog with both kinds of framing; one message is longer than what is kept.
fn reports() -> Vec<Turn> {
    let long = [&b"<13>Nov 22 09:00:00 may1 a: "[..], &[b'x'; 9000], b"\n"].concat();
    let counted = b"41 <13>1 2026-11-22T09:00:00Z may1 a 7 - - b";
    vec![
        client(b"<38>Nov 22 09:00:00 may1 sshd[7]: mot\n<38>Nov 22 09:00:00 may1 sshd[7]: hai\n"),
        client(&long),
        client(&[&counted[..], counted, b"9000 <13>", &[b'y'; 8996], b"<14>ba\n"].concat()),
        client(b"<13>dang do"),
    ]
}

/// SIP over TCP: two requests, one with a description, and a response behind an empty line.
fn call() -> Vec<Turn> {
    let body = b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\nm=audio 4000 RTP/AVP 8\r\n";
    let head =
        format!("INVITE sip:b@tinh.example SIP/2.0\r\nCall-ID: 1\r\nc: application/sdp\r\nl: {}\r\n\r\n", body.len());
    let ack = b"ACK sip:b@tinh.example SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 70000\r\n\r\n";
    let bye = b"\r\nBYE sip:b@tinh.example SIP/2.0\r\nCall-ID: 1\r\n\r\n";
    vec![
        client(&[head.as_bytes(), body, ack, &[b'z'; 70_000], bye].concat()),
        server(b"\r\n\r\nSIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"),
    ]
}

/// A miner and its pool.
fn mining() -> Vec<Turn> {
    vec![
        client(b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"may\"]}\n"),
        server(b"{\"id\":1,\"result\":[],\"error\":null}\n"),
        client(b"{\"method\":\"mining.authorize\",\"params\":[\"vi\",\"x\"]}\n{\"method\":\"mining.submit\"}\n"),
        client(&[&[b' '; 20_000][..], b"\n{\"method\":\"mining.submit\"}\n"].concat()),
    ]
}

/// Conversations over TCP with the protocol they are in.
fn conversations() -> Vec<(&'static str, Vec<Turn>)> {
    let mut all = vec![
        ("http", web()),
        ("http", upgrade()),
        ("http2", streams()),
        ("http", frames()),
        ("smtp", mail()),
        ("pop3", fetched()),
        ("imap", kept_mail()),
        ("dns", names()),
        ("tls", handshake(&rustls::version::TLS12)),
        ("tls", handshake(&rustls::version::TLS13)),
        ("mqtt", broker()),
        ("syslog", reports()),
        ("stratum", mining()),
    ];
    all.extend(windows::conversations());
    all.extend(databases::conversations());
    all
}

/// A packet of SSH in the clear.
fn ssh_packet(message: &[u8]) -> Vec<u8> {
    let padding = 8 - (5 + message.len()) % 8 + 4;
    let length = (1 + message.len() + padding) as u32;
    [&length.to_be_bytes()[..], &[padding as u8], message, &vec![0; padding]].concat()
}

fn shell() -> Vec<Turn> {
    let lists: [&[u8]; 8] =
        [b"curve25519-sha256", b"ssh-ed25519", b"aes128-ctr", b"aes128-ctr", b"x", b"x", b"none", b""];
    let mut offer = vec![20];
    offer.extend([7; 16]);
    for list in lists {
        offer.extend((list.len() as u32).to_be_bytes());
        offer.extend(list);
    }
    let reply = b"\x1f\0\0\0\x0f\0\0\0\x0bssh-ed25519rest";
    vec![
        client(&[b"SSH-2.0-thu_1.0\r\n", &ssh_packet(&offer)[..]].concat()),
        server(&[b"chao\r\nSSH-2.0-may_2.0 ghi chu\r\n", &ssh_packet(&offer)[..]].concat()),
        client(&ssh_packet(b"\x1e\0\0\0\0")),
        server(&[ssh_packet(reply), ssh_packet(&[21])].concat()),
        client(&ssh_packet(&[21])),
    ]
}

fn transfer() -> Vec<Turn> {
    vec![
        client(b"SYST\r\nUSER an\r\nPASS bi mat\r\n"),
        server(b"220-chao\r\n 220 khong\r\n220 san sang\r\n215 UNIX\r\n331 mat khau\r\n230 vao\r\n"),
        client(b"PASV\r\nRETR a/b.txt\r\nPORT 192,0,2,10,7,8\r\nQUIT\r\n"),
        server(b"227 (198,51,100,7,4,1)\r\n150 mo (5 bytes)\r\n226 xong\r\n200 duoc\r\n221 chao"),
    ]
}

fn terminal() -> Vec<Turn> {
    vec![
        client(b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x18\xff\xf0"),
        server(b"\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0\r\nmay login: "),
        client(b"\xff\xfa\x18\0XTERM\xff\xf0an\r\0"),
        server(b"an\r\nPassword: "),
        client(b"bi mat\r\0"),
        server(b"\r\nLogin incorrect\r\nmay login: "),
    ]
}

fn screen() -> Vec<Turn> {
    let mut begin = vec![4, 0, 3, 0];
    begin.extend([0; 16]);
    begin.extend(b"\0\0\0\x08may-truc");
    vec![
        client(b"RFB 003.008\n"),
        server(b"RFB 003.008\n\x02\x01\x02"),
        client(b"\x02"),
        server(&[9; 16]),
        client(&[8; 16]),
        server(b"\0\0\0\0"),
        client(b"\x01"),
        server(&begin),
    ]
}

fn proxy() -> Vec<Turn> {
    vec![
        client(b"\x05\x02\0\x02"),
        server(b"\x05\x02"),
        client(b"\x01\x02an\x06bi mat"),
        server(b"\x01\0"),
        client(b"\x05\x01\0\x03\x0ccong.example\0\x50"),
        server(b"\x05\0\0\x01\xc6\x33\x64\x07\0\x50"),
        client(b"GET /trong HTTP/1.0\r\n\r\n"),
        server(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\ntrang"),
    ]
}

fn desktop() -> Vec<Turn> {
    let mut connect = b"\x7f\x65\0Duca\x14\x03\xc0\x14\0\x01\0\0\0rdpdr\0\0\0\0\0\0\0".to_vec();
    connect.splice(0..0, *b"\x02\xf0\x80");
    connect.splice(0..0, [3, 0, 0, connect.len() as u8 + 4]);
    vec![
        client(b"\x03\0\0\x28\x23\xe0\0\0\0\0\0Cookie: mstshash=an\r\n\x01\0\x08\0\0\0\0\0"),
        server(b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\0\x08\0\0\0\0\0"),
        client(&connect),
        server(b"\x03\0\0\x0b\x02\xf0\x80\x7f\x66\x01\0"),
    ]
}

fn registers() -> Vec<Turn> {
    vec![
        client(b"\0\x01\0\0\0\x06\x01\x03\0\x04\0\x02\0\x02\0\0\0\x06\x01\x05\0\x04\xff\0"),
        server(b"\0\x01\0\0\0\x07\x01\x03\x04\0\x07\0\x08\0\x02\0\0\0\x03\x01\x85\x02"),
    ]
}

fn controller() -> Vec<Turn> {
    vec![
        client(b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02"),
        server(b"\x03\0\0\x16\x11\xd0\0\x01\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02"),
        client(b"\x03\0\0\x1f\x02\xf0\x80\x32\x01\0\0\0\x05\0\x0e\0\0\x04\x01\x12\x0a\x10\x02\0\x01\0\x01\x84\0\0\0"),
        server(b"\x03\0\0\x1a\x02\xf0\x80\x32\x03\0\0\0\x05\0\x02\0\x05\0\0\x04\x01\xff\x04\0\x08\x07"),
    ]
}

/// Two stations: a frame each, with the sums of IEEE 1815.
fn stations() -> Vec<Turn> {
    let sum = |bytes: &[u8]| {
        let step = |sum: u16, _| if sum & 1 != 0 { sum >> 1 ^ 0xa6bc } else { sum >> 1 };
        let sum = bytes.iter().fold(0u16, |sum, byte| (0..8).fold(sum ^ u16::from(*byte), step));
        (!sum).to_le_bytes()
    };
    let frame = |control: u8, content: &[u8]| {
        let head = [5, 0x64, 5 + content.len() as u8, control, 4, 0, 3, 0];
        [&head[..], &sum(&head), content, &sum(content)].concat()
    };
    vec![client(&frame(0xc4, &[0xc0, 0xc1, 1, 60, 2, 6])), server(&frame(0x44, &[0xc0, 0xc1, 0x81, 0x90, 0]))]
}

/// Conversations over TCP of protocols whose first bytes do not always say who called, or need their port.
fn others() -> Vec<(&'static str, Vec<Turn>)> {
    let mut all = vec![
        ("ssh", shell()),
        ("ftp", transfer()),
        ("telnet", terminal()),
        ("rfb", screen()),
        ("socks", proxy()),
        ("rdp", desktop()),
        ("modbus", registers()),
        ("s7comm", controller()),
        ("dnp3", stations()),
        ("sip", call()),
    ];
    all.extend(databases::greeted());
    all
}

/// The same conversation in pieces of these sizes, used in turn.
fn cut(turns: &[Turn], sizes: &[usize]) -> Vec<Turn> {
    let mut sizes = sizes.iter().cycle();
    let mut pieces = Vec::new();
    for (direction, bytes) in turns {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
            pieces.push((*direction, piece.to_vec()));
            rest = after;
        }
    }
    pieces
}

fn tcp(name: &str) -> Box<dyn Parser> {
    (protocol(name).parser)(Transport::TCP)
}

#[test]
fn conversations_are_told() {
    let told = |name, turns: &[Turn]| {
        let kept = play(tcp(name).as_mut(), turns);
        (kept.events.len(), kept.files.len())
    };
    // Two requests, an upload, a packed page, a tunnel and what is in it; files: two pages, the upload, what is in
    // the tunnel.
    assert_eq!(told("http", &web()), (6, 4));
    // The request that changes the protocol, and its answer in a stream.
    assert_eq!(told("http", &upgrade()), (2, 1));
    // Four streams, two messages of DNS, the client's settings, a goodbye, two streams that never came to a request; the page
    // and a body that says no type are files.
    assert_eq!(told("http2", &streams()), (10, 2));
    // The request, and seven frames.
    assert_eq!(told("http", &frames()), (8, 0));
    // Three transactions and two messages; the attachment is a file.
    assert_eq!(told("smtp", &mail()), (5, 1));
    // Six commands and a message.
    assert_eq!(told("pop3", &fetched()), (7, 0));
    // Five commands and two messages.
    assert_eq!(told("imap", &kept_mail()), (7, 0));
    // The last query is cut in its question: nothing can be told.
    assert_eq!(told("dns", &names()), (4, 0));
    assert_eq!(told("tls", &handshake(&rustls::version::TLS12)), (1, 0));
    assert_eq!(told("tls", &handshake(&rustls::version::TLS13)), (1, 0));
    assert_eq!(told("ssh", &shell()), (1, 0));
    // Greeting and seven commands; the data connection is another flow.
    assert_eq!(told("ftp", &transfer()), (8, 0));
    assert_eq!(told("telnet", &terminal()), (1, 0));
    assert_eq!(told("rfb", &screen()), (1, 0));
    // The request, and what goes through the proxy.
    assert_eq!(told("socks", &proxy()), (2, 1));
    assert_eq!(told("rdp", &desktop()), (1, 0));
    assert_eq!(told("modbus", &registers()), (2, 0));
    assert_eq!(told("s7comm", &controller()), (1, 0));
    assert_eq!(told("dnp3", &stations()), (2, 0));
    for (name, turns) in windows::conversations() {
        let (_, events, files) = windows::TOLD.iter().find(|(told, ..)| *told == name).unwrap();
        assert_eq!(told(name, &turns), (*events, *files), "{name}");
    }
    for (name, turns) in databases::conversations().into_iter().chain(databases::greeted()) {
        let (_, events) = databases::TOLD.iter().find(|(told, _)| *told == name).unwrap();
        assert_eq!(told(name, &turns), (*events, 0), "{name}");
    }
    // Log-in, subscription, three publications, goodbye.
    assert_eq!(told("mqtt", &broker()), (6, 0));
    assert_eq!(told("syslog", &reports()), (8, 0));
    assert_eq!(told("sip", &call()), (4, 0));
    // The log-in, and the shares at the end.
    assert_eq!(told("stratum", &mining()), (2, 0));
}

#[test]
fn beginnings_are_recognised() {
    for (name, turns) in conversations() {
        let (direction, bytes) = &turns[0];
        let on_port = ["dns", "pop3"].contains(&name);
        assert_eq!((protocol(name).probe)(*direction, bytes, on_port), Probe::Yes, "{name}");
        let reversed = (protocol(name).probe)(Direction::ToClient, bytes, on_port);
        assert_eq!(reversed, Probe::YesReversed, "{name} the other way round");
        for other in PROTOCOLS.iter().filter(|p| p.name != name) {
            assert_eq!((other.probe)(*direction, bytes, false), Probe::No, "{name} is not {}", other.name);
        }
    }
}

#[test]
fn other_beginnings_are_recognised() {
    for (name, turns) in others() {
        let mut opening = Vec::new();
        let mut asked = turns.iter().filter(|turn| turn.0 == Direction::ToServer).map(|turn| {
            opening.extend_from_slice(&turn.1);
            (protocol(name).probe)(Direction::ToServer, &opening, true)
        });
        assert_eq!(asked.find(|probe| *probe != Probe::More), Some(Probe::Yes), "{name}");
        for other in PROTOCOLS.iter().filter(|p| p.name != name && p.transports.contains(&Transport::TCP)) {
            let probe = (other.probe)(Direction::ToServer, &turns[0].1, false);
            assert!(!matches!(probe, Probe::Yes | Probe::YesReversed), "{name} is not {}", other.name);
        }
    }
}

/// What fuzzing has found: streams that said something else when they came in pieces.
#[test]
fn pieces_do_not_matter_where_limits_bite() {
    let long = [&b"SSH-2.0-server "[..], &[b'x'; 1500], b"\r\n"].concat();
    let found = [
        ("ssh", vec![client(b"SSH-2.0-client\r\n"), server(&long)]),
        ("redis", vec![client(b"GET a\r\n"), server(b"\r\n$3\r\nabc\r\n")]),
    ];
    for (name, turns) in found {
        let whole = play(tcp(name).as_mut(), &turns);
        assert!(!whole.events.is_empty(), "{name}");
        for size in [1, 3, 900] {
            let pieces = play(tcp(name).as_mut(), &cut(&turns, &[size]));
            assert_eq!(whole.events, pieces.events, "{name} in pieces of {size}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn pieces_do_not_matter(sizes in prop::collection::vec(1usize..200, 1..20)) {
        for (name, turns) in conversations().into_iter().chain(others()) {
            let whole = play(tcp(name).as_mut(), &turns);
            let pieces = play(tcp(name).as_mut(), &cut(&turns, &sizes));
            prop_assert_eq!(whole.events, pieces.events, "{} in pieces of {:?}", name, &sizes);
            prop_assert_eq!(whole.files, pieces.files, "{} in pieces of {:?}", name, &sizes);
        }
    }

    #[test]
    fn changed_bytes_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..12),
        sizes in prop::collection::vec(1usize..400, 1..8),
        gap in prop::option::of((0usize..8, 1u64..2000)),
    ) {
        for (name, mut turns) in conversations().into_iter().chain(others()) {
            for (turn, at, value) in &changes {
                let turn = turn.index(turns.len());
                let bytes = &mut turns[turn].1;
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *value;
                }
            }
            let mut parser = tcp(name);
            let mut kept = Kept::default();
            for (number, (direction, bytes)) in cut(&turns, &sizes).iter().enumerate() {
                if let Some((at, length)) = gap && at == number {
                    parser.gap(&mut kept, *direction, length);
                }
                if parser.data(&mut kept, *direction, bytes) == Progress::Done {
                    break;
                }
            }
            parser.finish(&mut kept);
            prop_assert!(kept.open.is_empty());
        }
    }

    #[test]
    fn random_bytes_do_no_harm(
        turns in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..300)), 0..12),
    ) {
        for protocol in PROTOCOLS {
            for transport in protocol.transports {
                let mut parser = (protocol.parser)(*transport);
                let turns: Vec<Turn> = turns
                    .iter()
                    .map(|(up, bytes)| (if *up { Direction::ToServer } else { Direction::ToClient }, bytes.clone()))
                    .collect();
                play(parser.as_mut(), &turns);
                for (direction, bytes) in &turns {
                    (protocol.probe)(*direction, bytes, true);
                    (protocol.probe)(*direction, bytes, false);
                }
            }
        }
    }
}
