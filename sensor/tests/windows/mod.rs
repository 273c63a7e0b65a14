//! Conversations of the protocols that Windows networks are made of, for the tests of hostile input.

use luytre_sensor::protocols::Direction;

use super::{Turn, client, server};

/// A command of SMB 2; `next` says where the following one begins.
fn smb2(command: u16, response: bool, next: u32, id: u64, body: &[u8]) -> Vec<u8> {
    let mut head = b"\xfeSMB\x40\0\0\0\0\0\0\0".to_vec();
    head.extend(command.to_le_bytes());
    head.extend([1, 0]);
    head.extend((u32::from(response) | if next == 1 { 4 } else { 0 }).to_le_bytes());
    head.extend(if next > 1 { next } else { 0 }.to_le_bytes());
    head.extend(id.to_le_bytes());
    head.extend([0; 4]);
    head.extend(5u32.to_le_bytes());
    head.extend(9u64.to_le_bytes());
    head.extend([0; 16]);
    [head, body.to_vec()].concat()
}

/// A session packet.
fn packet(commands: &[Vec<u8>]) -> Vec<u8> {
    let message = commands.concat();
    [&(message.len() as u32).to_be_bytes()[..], &message].concat()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn create(path: &str) -> Vec<u8> {
    let name = wide(path);
    let mut body = vec![57, 0];
    body.extend([0; 34]);
    body.extend(1u32.to_le_bytes());
    body.extend(0u32.to_le_bytes());
    body.extend(120u16.to_le_bytes());
    body.extend((name.len() as u16).to_le_bytes());
    body.extend([0; 8]);
    body.extend(name);
    body.resize(body.len().next_multiple_of(8), 0);
    body
}

fn created(file: u8, size: u64) -> Vec<u8> {
    let mut body = vec![89, 0, 0, 0, 1, 0, 0, 0];
    body.extend([0; 40]);
    body.extend(size.to_le_bytes());
    body.extend([0; 8]);
    body.extend([file; 16]);
    body.extend([0; 8]);
    body
}

fn written(file: u8, offset: u64, data: &[u8]) -> Vec<u8> {
    let mut body = vec![49, 0, 112, 0];
    body.extend((data.len() as u32).to_le_bytes());
    body.extend(offset.to_le_bytes());
    body.extend([file; 16]);
    body.extend([0; 16]);
    body.extend(data);
    body.resize(body.len().next_multiple_of(8), 0);
    body
}

fn read(file: u8, offset: u64) -> Vec<u8> {
    let mut body = vec![49, 0, 0, 0, 0, 8, 0, 0];
    body.extend(offset.to_le_bytes());
    body.extend([file; 16]);
    body.extend([0; 17]);
    body
}

fn data(content: &[u8]) -> Vec<u8> {
    let mut body = vec![17, 0, 80, 0];
    body.extend((content.len() as u32).to_le_bytes());
    body.extend([0; 8]);
    body.extend(content);
    body
}

fn close(file: u8) -> Vec<u8> {
    let mut body = vec![24, 0, 0, 0, 0, 0, 0, 0];
    body.extend([file; 16]);
    body
}

/// A file is opened, written and closed in one message, and read again in two pieces that come in the wrong order.
fn files() -> Vec<Turn> {
    let content = b"van ban ".repeat(500);
    let chain = |bodies: [(u16, Vec<u8>); 3], response: bool| {
        let [first, second, third] = bodies;
        let next = |body: &[u8]| 64 + body.len() as u32;
        packet(&[
            smb2(first.0, response, next(&first.1), 1, &first.1),
            smb2(second.0, response, next(&second.1), 2, &second.1),
            smb2(third.0, response, 1, 3, &third.1),
        ])
    };
    // The second and third refer to the file of the first.
    let mut asked = chain([(5, create("so.txt")), (9, written(0xff, 0, &content)), (6, close(0xff))], false);
    let second = 4 + 64 + create("so.txt").len();
    asked[second + 16] |= 4;
    vec![
        (Direction::ToServer, asked),
        server(&chain([(5, created(7, 0)), (9, vec![17, 0, 0, 0, 0, 0, 0, 0]), (6, vec![60, 0, 0, 0])], true)),
        client(&packet(&[smb2(5, false, 0, 4, &create("so.txt"))])),
        server(&packet(&[smb2(5, true, 0, 4, &created(8, 4000))])),
        client(&packet(&[smb2(8, false, 0, 5, &read(8, 0))])),
        client(&packet(&[smb2(8, false, 0, 6, &read(8, 2048))])),
        server(&packet(&[smb2(8, true, 0, 6, &data(&content[2048..]))])),
        server(&packet(&[smb2(8, true, 0, 5, &data(&content[..2048]))])),
        client(&packet(&[smb2(6, false, 0, 7, &close(8))])),
        server(&packet(&[smb2(6, true, 0, 7, &[60, 0, 0, 0])])),
    ]
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[tag, 0x82][..], &(content.len() as u16).to_be_bytes(), &content].concat()
}

/// A bind with a password, and a search that finds an entry.
fn directory() -> Vec<Turn> {
    let message = |id: u8, operation: &[u8]| element(0x30, &[&[2, 1, id], operation]);
    let bind = element(0x60, &[&[2, 1, 3], &element(4, &[b"cn=an"]), &element(0x80, &[b"bi mat"])]);
    let filter = element(0xa3, &[&element(4, &[b"cn"]), &element(4, &[b"binh"])]);
    let limits = [10, 1, 2, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0];
    let search = element(0x63, &[&element(4, &[b"dc=tinh"]), &limits, &filter, &element(0x30, &[])]);
    let done = |tag: u8| element(tag, &[&[10, 1, 0, 4, 0, 4, 0]]);
    let entry = element(0x64, &[&element(4, &[b"cn=binh"]), &element(0x30, &[])]);
    vec![
        client(&message(1, &bind)),
        server(&message(1, &done(0x61))),
        client(&message(2, &search)),
        server(&[message(2, &entry), message(2, &done(0x65))].concat()),
        client(&[0x30, 5, 2, 1, 3, 0x42, 0]),
    ]
}

/// A bind and a call whose answer comes in two fragments.
fn calls() -> Vec<Turn> {
    let fragment = |kind: u8, flags: u8, body: &[u8]| {
        let length = (16 + body.len() as u16).to_le_bytes();
        [&[5, 0, kind, flags, 0x10, 0, 0, 0][..], &length, &[0, 0, 1, 0, 0, 0], body].concat()
    };
    let bind =
        [&[0; 8][..], &[1, 0, 0, 0, 0, 0, 1, 0], &[0x11; 16], &[3, 0, 0, 0], &[0x22; 16], &[2, 0, 0, 0]].concat();
    let bound = [&[0; 8][..], &[0, 0, 0, 0], &[1, 0, 0, 0], &[0; 4], &[0x22; 20]].concat();
    vec![
        client(&fragment(11, 3, &bind)),
        server(&fragment(12, 3, &bound)),
        client(&fragment(0, 3, &[8, 0, 0, 0, 0, 0, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8])),
        server(&[fragment(2, 1, &[0; 20]), fragment(2, 2, &[0; 12])].concat()),
    ]
}

/// Conversations over TCP with the protocol they are in.
pub fn conversations() -> Vec<(&'static str, Vec<Turn>)> {
    vec![("smb", files()), ("ldap", directory()), ("dcerpc", calls())]
}

/// How many events and files each of them gives.
pub const TOLD: &[(&str, usize, usize)] = &[
    // Opened, written, closed; opened, read, closed.
    ("smb", 6, 2),
    ("ldap", 3, 0),
    ("dcerpc", 2, 0),
];
