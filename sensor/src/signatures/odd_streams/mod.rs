//! What is odd about a connection, under the names that rules know it by (`stream-event`).

mod course;

use super::direction;
use super::flow::{FlowInspection, place};
use crate::decode::Decoded;
use crate::flow::tcp::flag;
use crate::flow::{Flow, Side};
use course::{Course, Opening};

/// What is remembered of one connection.
#[derive(Debug, Default)]
pub struct Seen {
    /// The latest time stamp of each side.
    time_stamps: [Option<u32>; 2],
    /// Each side has broken it off.
    reset: [bool; 2],
    /// It was told that a reset may have been forged.
    told_reset: bool,
    /// The latest SYN.
    asked: Option<Asked>,
    /// The other side has answered it.
    answered: bool,
    /// How far it is.
    course: Course,
    /// Bytes that were missed, and bytes that contradicted others, of both sides.
    lost: (u64, u64),
}

/// What a SYN has asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// Place of its direction.
    direction: usize,
    /// Its time stamp.
    time_stamp: Option<u32>,
    /// The number behind its own.
    after: u32,
    /// It brought data by fast open.
    fast: bool,
}

/// What is odd about a packet.
pub fn events<A>(flow: &Flow<A>, side: Side, current: &mut FlowInspection, packet: &Decoded<'_>) -> Vec<&'static str> {
    let Some(header) = &packet.tcp else { return Vec::new() };
    let mut found = Vec::new();
    let direction = direction(flow, side);
    let mine = place(direction);
    let seen = &mut current.odd_streams;
    if header.flags & (flag::SYN | flag::ACK) == flag::SYN {
        seen.asked = Some(Asked {
            direction: mine,
            time_stamp: time_stamp(packet.headers.1),
            after: header.sequence.wrapping_add(1),
            fast: opens_fast(packet.headers.1) && header.payload_length > 0,
        });
    }
    let answers = seen.asked.filter(|asked| asked.direction != mine && !seen.answered);
    let forged = answers.is_some_and(|asked| !echoes(asked.time_stamp, packet.headers.1));
    if forged {
        // Who answers a SYN repeats its time; what does not comes from somebody who has not seen it.
        return vec!["pkt_invalid_timestamp"];
    }
    if let Some(asked) = answers
        && header.flags & (flag::SYN | flag::ACK) == flag::SYN | flag::ACK
    {
        seen.answered = true;
        if asked.fast && header.acknowledgement == asked.after {
            found.push("3whs_synack_tfo_data_ignored");
        }
    }
    if let Some(time_stamp) = time_stamp(packet.headers.1)
        && let Some(latest) = seen.time_stamps.get_mut(mine)
    {
        // Counted around the end of the numbers (RFC 7323 section 5.2).
        let older = latest.is_some_and(|latest| time_stamp.wrapping_sub(latest).cast_signed() < 0);
        if older {
            found.push("pkt_invalid_timestamp");
        } else {
            *latest = Some(time_stamp);
        }
    }
    if header.flags & flag::RST != 0 {
        if let Some(reset) = seen.reset.get_mut(mine) {
            *reset = true;
        }
    } else if seen.reset.get(mine) == Some(&true) && !std::mem::replace(&mut seen.told_reset, true) {
        // Who broke off does not go on: somebody else did.
        found.push("suspected_rst_inject");
    }
    let counts = [Side::A, Side::B].map(|side| flow.tcp.streams.of(side).counts);
    let lost = counts.iter().fold((0, 0), |sum, counts| (sum.0 + counts.missed, sum.1 + counts.conflicting));
    let before = std::mem::replace(&mut seen.lost, lost);
    if lost.0 > before.0 {
        found.push("reassembly_seq_gap");
    }
    if lost.1 > before.1 {
        found.push("reassembly_overlap_different_data");
    }
    let asked_before = flow.tcp.opened() && header.flags & flag::SYN == 0;
    let opening =
        Opening { scale: window_scale(packet.headers.1), fast: opens_fast(packet.headers.1), late: asked_before };
    seen.course.take(mine, header, opening, &mut found);
    found
}

/// Power of two by which the sender's windows are multiplied (RFC 7323 section 2).
fn window_scale(header: &[u8]) -> Option<u8> {
    options(header).find_map(|option| match option {
        [3, 3, scale, ..] => Some(*scale),
        _ => None,
    })
}

/// Whether an answer repeats the time stamp of a SYN, where both have one that says something.
fn echoes(asked: Option<u32>, header: &[u8]) -> bool {
    let echo = options(header).find_map(|option| match option {
        [8, 10, _, _, _, _, a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    });
    match (asked, echo) {
        (Some(asked), Some(echo)) => asked == 0 || echo == 0 || asked == echo,
        (None, Some(echo)) => echo == 0,
        (_, None) => true,
    }
}

/// The sender's time stamp among the options of TCP (RFC 7323 section 3).
fn time_stamp(header: &[u8]) -> Option<u32> {
    options(header).find_map(|option| match option {
        [8, 10, a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    })
}

/// Whether a SYN may bring data (RFC 7413, and the numbers that were used before).
pub fn opens_fast(header: &[u8]) -> bool {
    options(header).any(|option| matches!(option, [34, ..] | [253 | 254, _, 0xf9, 0x89, ..]))
}

/// The options of a TCP header, each from its number on.
fn options(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header.get(20..).unwrap_or(&[]);
    std::iter::from_fn(move || {
        loop {
            let option = rest;
            match option {
                [0, ..] | [] | [_] => return None,
                [1, after @ ..] => rest = after,
                [_, length, ..] => {
                    rest = option.get(usize::from(*length).max(2)..).unwrap_or(&[]);
                    return Some(option);
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_repeats_the_time_of_what_it_answers() {
        let mut header = vec![0; 20];
        assert!(echoes(Some(7), &header), "it says nothing");
        header.extend([1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 0, 9]);
        assert!(echoes(Some(9), &header) && echoes(Some(0), &header));
        assert!(!echoes(Some(8), &header) && !echoes(None, &header));
    }

    #[test]
    fn the_time_stamp_is_found_among_options() {
        let mut header = vec![0; 20];
        header.extend([1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 0, 9]);
        assert_eq!(time_stamp(&header), Some(0x102));
        assert_eq!(time_stamp(&header[..26]), None);
        assert!(!opens_fast(&header));
        header.extend([254, 4, 0xf9, 0x89]);
        assert!(opens_fast(&header));
    }
}
