//! Target: the same stream in one piece and in many must say the same.
//!
//! Script: four bytes that are the sizes of pieces, used in turn, then as in [`protocols`](super::protocols). What one side
//! sends without a word of the other is one piece the first time, and cut the second time.
//!
//! Must hold for TCP, where the network decides where a stream is cut: the same events and files, in the same order. Holes are
//! left out: behind one, parsers look for the beginning of a message where a piece begins, and so may find another one.

use luytre_events::Transport;
use luytre_sensor::protocols::{Progress, Protocol};

use super::input::Input;
use super::protocols::{Sink, Step, chosen, play};

const STEPS_MAX: usize = 500;

/// Plays a script.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let sizes = input.u32().to_le_bytes().map(|size| usize::from(size) + 1);
    let (protocol, transport) = chosen(&mut input, Some(Transport::TCP));
    let steps = steps(&mut input);
    let whole = told(protocol, transport, &steps);
    let cut = told(protocol, transport, &cut(&steps, &sizes));
    assert_eq!(whole, cut, "{} says something else of pieces of {sizes:?} bytes", protocol.name);
}

/// The steps of a script, with what one side sends put together. Time stands still, because the moment at which a message is
/// complete depends on where it is cut.
fn steps(input: &mut Input<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        match (Step::read(input), steps.last_mut()) {
            (Step::Time(_) | Step::Gap(..), _) => {}
            (Step::Data(direction, bytes), Some(Step::Data(last, all))) if direction == *last => all.extend(bytes),
            (Step::Data(_, bytes), _) if bytes.is_empty() => {}
            (step, _) => steps.push(step),
        }
    }
    steps
}

fn cut(steps: &[Step], sizes: &[usize]) -> Vec<Step> {
    let mut sizes = sizes.iter().cycle().copied();
    let mut pieces = Vec::new();
    for step in steps {
        let Step::Data(direction, bytes) = step else {
            pieces.push(step.clone());
            continue;
        };
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
            pieces.push(Step::Data(*direction, piece.to_vec()));
            rest = after;
        }
    }
    pieces
}

fn told(protocol: &Protocol, transport: Transport, steps: &[Step]) -> Vec<String> {
    let mut parser = (protocol.parser)(transport);
    let mut sink = Sink::new(true);
    for step in steps {
        if play(parser.as_mut(), transport, step, &mut sink) == Progress::Done {
            break;
        }
    }
    parser.finish(&mut sink);
    assert!(!sink.has_open_file(), "{} leaves a file open", protocol.name);
    sink.told.unwrap_or_default()
}
