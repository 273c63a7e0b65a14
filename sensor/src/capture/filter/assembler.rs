//! Puts programs together, and writes the part that every program begins with: it finds the headers and keeps in cells what
//! is asked often.
//!
//! Jumps of a question reach 255 instructions at most, those of `Jump` any number: so each question is followed by two
//! jumps, one for yes and one for no.

use super::Link;
use super::machine::{Code, INSTRUCTIONS_MAX, Instruction, Program, VLAN_TAG, VLAN_TAG_PRESENT};

pub(super) const IPV4: u32 = 0x0800;
pub(super) const IPV6: u32 = 0x86dd;
pub(super) const ARP: [u32; 2] = [0x0806, 0x8035];
const TAGS: [u32; 3] = [0x8100, 0x88a8, 0x9100];
/// Most VLAN tags that are looked through, beside one that the card took out.
const TAGS_MAX: u32 = 3;
/// Most IPv6 extension headers that are looked through.
const EXTENSIONS_MAX: usize = 4;
/// Hop-by-hop options, routing, destination options (RFC 8200); each has its length in its second byte.
const EXTENSIONS: [u32; 3] = [0, 43, 60];
const FRAGMENT: u32 = 44;
/// Stands for no VLAN and no transport.
pub(super) const NONE: u32 = 0xffff;
/// What is kept in the cells.
#[derive(Clone, Copy)]
pub(super) enum Cell {
    /// EtherType of the network protocol; 0 where none was found.
    EtherType,
    /// Where its header begins.
    Network,
    /// Number of the transport.
    Protocol,
    /// Where its header begins.
    Transport,
    /// Whether that header is in this packet: it is no later fragment.
    First,
    /// The outer and the next VLAN.
    Vlan,
    InnerVlan,
}

/// A place that jumps lead to.
#[derive(Clone, Copy)]
pub(super) struct Label(usize);

#[derive(Default)]
pub(super) struct Assembler {
    code: Vec<Instruction>,
    /// Jumps and where they lead.
    jumps: Vec<(usize, Label)>,
    /// Where each label is, once known.
    labels: Vec<usize>,
}

impl Assembler {
    pub(super) fn label(&mut self) -> Label {
        self.labels.push(usize::MAX);
        Label(self.labels.len() - 1)
    }

    pub(super) fn here(&mut self, label: Label) {
        let at = self.code.len();
        if let Some(place) = self.labels.get_mut(label.0) {
            *place = at;
        }
    }

    pub(super) fn step(&mut self, code: Code, k: u32) {
        self.code.push(Instruction { code, yes: 0, no: 0, k });
    }

    pub(super) fn go(&mut self, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.step(Code::Jump, 0);
    }

    pub(super) fn ask(&mut self, code: Code, k: u32, yes: Label, no: Label) {
        self.code.push(Instruction { code, yes: 0, no: 1, k });
        self.go(yes);
        self.go(no);
    }

    /// Goes to `no` unless the answer is yes.
    pub(super) fn need(&mut self, code: Code, k: u32, no: Label) {
        self.code.push(Instruction { code, yes: 1, no: 0, k });
        self.go(no);
    }

    /// Goes to `yes` if the answer is yes.
    pub(super) fn leave(&mut self, code: Code, k: u32, yes: Label) {
        self.code.push(Instruction { code, yes: 0, no: 1, k });
        self.go(yes);
    }

    pub(super) fn keep(&mut self, cell: Cell) {
        self.step(Code::Keep, cell as u32);
    }

    pub(super) fn recall(&mut self, cell: Cell) {
        self.step(Code::Recall, cell as u32);
    }

    pub(super) fn behind(&mut self, cell: Cell) {
        self.step(Code::RecallIntoX, cell as u32);
    }

    pub(super) fn set(&mut self, cell: Cell, value: u32) {
        self.step(Code::Set, value);
        self.keep(cell);
    }

    /// Goes to `short` unless that many bytes behind the start in a cell were captured.
    pub(super) fn has(&mut self, cell: Cell, bytes: u32, short: Label) {
        self.recall(cell);
        self.step(Code::Add, bytes);
        self.step(Code::LoadLengthIntoX, 0);
        self.leave(Code::IfGreaterThanX, 0, short);
    }

    /// The same from the start of the frame.
    pub(super) fn has_from_start(&mut self, bytes: u32, short: Label) {
        self.step(Code::Set, bytes);
        self.step(Code::LoadLengthIntoX, 0);
        self.leave(Code::IfGreaterThanX, 0, short);
    }

    pub(super) fn finish(mut self) -> Result<Program, String> {
        let length = self.code.len();
        if length > INSTRUCTIONS_MAX {
            return Err(format!(
                "the filter needs {length} instructions, {INSTRUCTIONS_MAX} are possible; make it shorter"
            ));
        }
        for (at, label) in std::mem::take(&mut self.jumps) {
            let to = self.labels.get(label.0).copied().unwrap_or(usize::MAX);
            let distance = to.checked_sub(at + 1).and_then(|distance| u32::try_from(distance).ok());
            if let (Some(jump), Some(distance)) = (self.code.get_mut(at), distance) {
                jump.k = distance;
            }
        }
        Ok(Program(self.code))
    }

    /// Finds the headers of every packet and fills the cells.
    pub(super) fn headers(&mut self, link: Link) {
        for (cell, value) in [(Cell::EtherType, 0), (Cell::Network, 0), (Cell::Transport, 0), (Cell::First, 0)] {
            self.set(cell, value);
        }
        for cell in [Cell::Protocol, Cell::Vlan, Cell::InnerVlan] {
            self.set(cell, NONE);
        }
        let (network, done) = (self.label(), self.label());
        match link {
            Link::EtherType { at, network: behind, .. } => self.tags(at, behind, network, done),
            Link::Ip { at } => {
                self.set(Cell::Network, at);
                self.has_from_start(at + 1, done);
                self.step(Code::LoadByte, at);
                self.step(Code::ShiftRight, 4);
                for (version, kind) in [(4, IPV4), (6, IPV6)] {
                    let other = self.label();
                    self.need(Code::IfEqual, version, other);
                    self.set(Cell::EtherType, kind);
                    self.go(network);
                    self.here(other);
                }
                self.go(done);
            }
        }
        self.here(network);
        self.recall(Cell::EtherType);
        let (four, six) = (self.label(), self.label());
        self.leave(Code::IfEqual, IPV4, four);
        self.leave(Code::IfEqual, IPV6, six);
        self.go(done);
        self.here(four);
        self.ipv4(done);
        self.here(six);
        self.ipv6(done);
        self.here(done);
    }

    /// Passes over VLAN tags, from the first EtherType on, which stands at `kind_at` and tells of what is `behind`.
    pub(super) fn tags(&mut self, mut kind_at: u32, mut behind: u32, network: Label, done: Label) {
        let bare = self.label();
        self.step(Code::LoadWord, VLAN_TAG_PRESENT);
        self.need(Code::IfGreater, 0, bare);
        self.step(Code::LoadWord, VLAN_TAG);
        self.step(Code::And, 0x0fff);
        self.keep(Cell::Vlan);
        self.here(bare);
        for _ in 0..=TAGS_MAX {
            let tag = self.label();
            self.has_from_start(kind_at + 2, done);
            self.step(Code::LoadHalf, kind_at);
            for kind in TAGS {
                self.leave(Code::IfEqual, kind, tag);
            }
            self.keep(Cell::EtherType);
            self.set(Cell::Network, behind);
            self.go(network);
            self.here(tag);
            self.has_from_start(behind + 2, done);
            let (inner, passed) = (self.label(), self.label());
            self.recall(Cell::Vlan);
            self.need(Code::IfEqual, NONE, inner);
            self.tag(behind, Cell::Vlan);
            self.go(passed);
            self.here(inner);
            self.tag(behind, Cell::InnerVlan);
            self.here(passed);
            (kind_at, behind) = (behind + 2, behind + 4);
        }
        self.go(done);
    }

    pub(super) fn tag(&mut self, at: u32, cell: Cell) {
        self.step(Code::LoadHalf, at);
        self.step(Code::And, 0x0fff);
        self.keep(cell);
    }

    pub(super) fn ipv4(&mut self, done: Label) {
        self.has(Cell::Network, 20, done);
        self.behind(Cell::Network);
        self.step(Code::LoadByteBehindX, 9);
        self.keep(Cell::Protocol);
        self.step(Code::LoadHalfBehindX, 6);
        self.leave(Code::IfAny, 0x1fff, done);
        self.step(Code::LoadByteBehindX, 0);
        self.step(Code::And, 0x0f);
        self.step(Code::ShiftLeft, 2);
        self.step(Code::AddX, 0);
        self.keep(Cell::Transport);
        self.set(Cell::First, 1);
        self.go(done);
    }

    pub(super) fn ipv6(&mut self, done: Label) {
        self.has(Cell::Network, 40, done);
        self.behind(Cell::Network);
        self.step(Code::LoadByteBehindX, 6);
        self.keep(Cell::Protocol);
        self.recall(Cell::Network);
        self.step(Code::Add, 40);
        self.keep(Cell::Transport);
        let found = self.label();
        for _ in 0..EXTENSIONS_MAX {
            let (options, fragment, next) = (self.label(), self.label(), self.label());
            self.recall(Cell::Protocol);
            for kind in EXTENSIONS {
                self.leave(Code::IfEqual, kind, options);
            }
            self.leave(Code::IfEqual, FRAGMENT, fragment);
            self.go(found);
            self.here(options);
            self.has(Cell::Transport, 8, done);
            self.behind(Cell::Transport);
            self.step(Code::LoadByteBehindX, 0);
            self.keep(Cell::Protocol);
            self.step(Code::LoadByteBehindX, 1);
            self.step(Code::Add, 1);
            self.step(Code::ShiftLeft, 3);
            self.step(Code::AddX, 0);
            self.keep(Cell::Transport);
            self.go(next);
            self.here(fragment);
            self.has(Cell::Transport, 8, done);
            self.behind(Cell::Transport);
            self.step(Code::LoadByteBehindX, 0);
            self.keep(Cell::Protocol);
            self.step(Code::LoadHalfBehindX, 2);
            self.leave(Code::IfAny, 0xfff8, done);
            self.recall(Cell::Transport);
            self.step(Code::Add, 8);
            self.keep(Cell::Transport);
            self.here(next);
        }
        self.here(found);
        self.set(Cell::First, 1);
        self.go(done);
    }
}
