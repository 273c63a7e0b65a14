//! What a rule asks of a request of Modbus (`modbus`): which device, which function, which data.
//!
//! Comes in: the text of the option, then requests as they stand on the wire from the device's number on (Modbus
//! application protocol 1.1b3). Places of data count from 1, as the format's own numbers do and its wire does not.

use super::language::{Comparison, NumberTest, Reason, number};

/// What a rule asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModbusTest {
    unit: Option<NumberTest>,
    function: Option<Function>,
    access: Option<Access>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Function {
    /// This one, and this below it.
    Code(u8, Option<u16>),
    /// One of a kind, or none of it.
    Kind(Kind, bool),
}

/// Kinds of functions (section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Public, with a meaning.
    Assigned,
    /// Public, for the future.
    Unassigned,
    /// Both of them.
    Public,
    /// For users.
    User,
    /// What makers have taken before there was an order.
    Reserved,
    All,
}

/// Data that is read or written.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Access {
    write: bool,
    table: Option<Table>,
    address: Option<NumberTest>,
    value: Option<NumberTest>,
}

/// The four tables of a device (section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Discretes,
    Coils,
    Input,
    Holding,
}

/// One request taken apart, as far as rules ask.
struct Request<'b> {
    unit: u8,
    function: u8,
    body: &'b [u8],
}

/// Part of a table: which, from where, how many, and what is written there.
struct Part {
    write: bool,
    table: Option<Table>,
    start: u64,
    count: u64,
    values: Vec<u64>,
}

impl ModbusTest {
    /// Reads the option: `unit 10, function 8, subfunction 4` or `access write holding, address 500, value >200`.
    pub fn parse(text: &str) -> Result<ModbusTest, Reason> {
        let mut test = ModbusTest::default();
        for part in text.split(',').map(str::trim) {
            let (word, value) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
            let value = value.trim();
            match word {
                "unit" => test.unit = Some(NumberTest::parse(value)?),
                "function" => test.function = Some(function(value)?),
                "subfunction" => match &mut test.function {
                    Some(Function::Code(_, below)) => *below = Some(small(value)?),
                    _ => return Err("subfunction wants the number of a function before it".into()),
                },
                "access" => test.access = Some(access(value)?),
                "address" => test.accessed(word)?.address = Some(NumberTest::parse(value)?),
                "value" => test.accessed(word)?.value = Some(NumberTest::parse(value)?),
                other => return Err(format!("{other} is unknown")),
            }
        }
        if test.function.is_some() && test.access.is_some() {
            return Err("function and access exclude each other".into());
        }
        if test == ModbusTest::default() { Err("it wants unit, function or access".into()) } else { Ok(test) }
    }

    fn accessed(&mut self, word: &str) -> Result<&mut Access, Reason> {
        let access = self.access.as_mut().filter(|access| access.table.is_some());
        access.ok_or_else(|| format!("{word} wants access with the name of a table before it"))
    }

    /// Whether a request is what was asked for.
    pub fn accepts(&self, bytes: &[u8]) -> bool {
        let [unit, function, body @ ..] = bytes else { return false };
        let request = Request { unit: *unit, function: *function, body };
        self.unit.is_none_or(|test| test.accepts(request.unit.into()))
            && self.function.is_none_or(|test| test.accepts(&request))
            && self.access.is_none_or(|test| request.parts().iter().any(|part| test.accepts(part)))
    }
}

impl Function {
    fn accepts(self, request: &Request<'_>) -> bool {
        match self {
            Function::Code(code, below) => {
                code == request.function && below.is_none_or(|below| request.word(0) == Some(below.into()))
            }
            Function::Kind(kind, negated) => {
                let is = request.kind();
                let public = matches!(is, Kind::Assigned | Kind::Unassigned);
                (kind == Kind::All || kind == is || (kind == Kind::Public && public)) != negated
            }
        }
    }
}

impl Access {
    fn accepts(self, part: &Part) -> bool {
        if self.write != part.write || self.table.is_some_and(|table| part.table != Some(table)) {
            return false;
        }
        let last = part.start + part.count.saturating_sub(1);
        match (self.address, self.value) {
            (None, None) => true,
            (Some(address), None) => meets(address, part.start, last),
            (address, Some(value)) => (part.start..).zip(&part.values).any(|(place, written)| {
                address.is_none_or(|address| address.accepts(place)) && value.accepts(*written)
            }),
        }
    }
}

impl Request<'_> {
    fn word(&self, at: usize) -> Option<u64> {
        let two = self.body.get(at..)?.first_chunk::<2>()?;
        Some(u64::from(u16::from_be_bytes(*two)))
    }

    fn kind(&self) -> Kind {
        match (self.function, self.word(0), self.body.first()) {
            (8, Some(19 | 21..), _) | (9 | 10 | 13 | 14 | 41 | 42 | 90 | 91 | 125..=127, ..) => Kind::Reserved,
            (43, _, Some(kind)) if !matches!(kind, 13 | 14) => Kind::Reserved,
            (1..=8 | 11 | 12 | 15..=17 | 20..=24 | 43, ..) => Kind::Assigned,
            (65..=72 | 100..=110, ..) => Kind::User,
            _ => Kind::Unassigned,
        }
    }

    /// What data it reads and writes.
    fn parts(&self) -> Vec<Part> {
        let table = match self.function {
            1 | 5 | 15 => Some(Table::Coils),
            2 => Some(Table::Discretes),
            4 => Some(Table::Input),
            3 | 6 | 16 | 22 | 23 | 24 => Some(Table::Holding),
            _ => None,
        };
        let part = |write: bool, at: usize, count: u64, values: Vec<u64>| {
            let start = self.word(at).unwrap_or(0) + 1;
            Part { write, table, start, count, values }
        };
        let written = |at: usize| {
            let words = self.body.get(at..).unwrap_or(&[]).chunks_exact(2).filter_map(|two| two.first_chunk::<2>());
            words.map(|two| u64::from(u16::from_be_bytes(*two))).collect::<Vec<u64>>()
        };
        let count = |at: usize| self.word(at).unwrap_or(0);
        match self.function {
            1..=4 => vec![part(false, 0, count(2), Vec::new())],
            5 => vec![part(true, 0, 1, vec![u64::from(count(2) == 0xff00)])],
            6 => vec![part(true, 0, 1, vec![count(2)])],
            15 => {
                let bytes = self.body.get(5..).unwrap_or(&[]);
                let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| u64::from(byte >> bit & 1)));
                let many = usize::try_from(count(2)).unwrap_or(0);
                vec![part(true, 0, count(2), bits.take(many).collect())]
            }
            16 => vec![part(true, 0, count(2), written(5))],
            20 | 24 => vec![part(false, 0, 1, Vec::new())],
            21 | 22 => vec![part(true, 0, 1, Vec::new())],
            23 => vec![part(false, 0, count(2), Vec::new()), part(true, 4, count(6), written(9))],
            _ => Vec::new(),
        }
    }
}

/// Whether some number from the first to the last is accepted.
fn meets(test: NumberTest, first: u64, last: u64) -> bool {
    match test.0 {
        Comparison::Above(low) => last > low,
        Comparison::Below(high) => first < high,
        Comparison::Between(low, high) => first.max(low + 1) <= last.min(high.saturating_sub(1)),
        Comparison::Equal(place) => first <= place && place <= last,
        _ => test.accepts(first) || test.accepts(last),
    }
}

fn small<T: TryFrom<u64>>(text: &str) -> Result<T, Reason> {
    number(text).and_then(|number| T::try_from(number).ok()).ok_or_else(|| format!("{text} is no number of a function"))
}

fn function(text: &str) -> Result<Function, Reason> {
    let (word, negated) = text.strip_prefix('!').map_or((text, false), |word| (word.trim(), true));
    let kind = match word {
        "assigned" => Kind::Assigned,
        "unassigned" => Kind::Unassigned,
        "public" => Kind::Public,
        "user" => Kind::User,
        "reserved" => Kind::Reserved,
        "all" => Kind::All,
        _ => return Ok(Function::Code(small(text)?, None)),
    };
    Ok(Function::Kind(kind, negated))
}

fn access(text: &str) -> Result<Access, Reason> {
    let mut words = text.split_whitespace();
    let write = match words.next() {
        Some("read") => false,
        Some("write") => true,
        _ => return Err("access wants read or write".into()),
    };
    let table = match words.next() {
        None => None,
        Some("discretes") if !write => Some(Table::Discretes),
        Some("coils") => Some(Table::Coils),
        Some("input") if !write => Some(Table::Input),
        Some("holding") => Some(Table::Holding),
        Some(other) => return Err(format!("{other} is no table that is {}", if write { "written" } else { "read" })),
    };
    Ok(Access { write, table, address: None, value: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(text: &str, request: &[u8]) -> bool {
        ModbusTest::parse(text).unwrap().accepts(request)
    }

    #[test]
    fn functions_and_their_kinds() {
        let diagnostic = [10, 8, 0, 4, 0, 0];
        assert!(asks("function 8", &diagnostic) && asks("function 8, subfunction 4", &diagnostic));
        assert!(!asks("function 8, subfunction 5", &diagnostic) && !asks("function 7", &diagnostic));
        assert!(asks("function assigned", &diagnostic) && asks("function public", &diagnostic));
        assert!(asks("function reserved", &[10, 8, 0, 30]) && asks("function !reserved", &diagnostic));
        assert!(asks("unit >9", &diagnostic) && !asks("unit 11, function 8", &diagnostic));
        assert!(asks("function user", &[1, 70]) && asks("function unassigned", &[1, 60]));
    }

    #[test]
    fn data_is_found_by_place_and_value() {
        let coils = [1, 1, 0, 2, 0, 2];
        assert!(asks("access read", &coils) && asks("access read coils, address 0<>4", &coils));
        assert!(asks("access read coils, address 4", &coils) && !asks("access read coils, address 5", &coils));
        assert!(!asks("access write", &coils) && !asks("access read holding", &coils));
        let registers = [1, 16, 0, 9, 0, 2, 4, 0, 5, 1, 0];
        assert!(asks("access write holding, address 11, value >200", &registers));
        assert!(!asks("access write holding, address 10, value >200", &registers));
        let both = [1, 23, 0, 1, 0, 1, 0, 8, 0, 1, 2, 0, 7];
        assert!(
            asks("access read holding, address 2", &both) && asks("access write holding, address 9, value 7", &both)
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in
            ["", "function", "access", "access write input", "address 5", "function 8, access read", "subfunction 1"]
        {
            assert!(ModbusTest::parse(text).is_err(), "{text}");
        }
    }
}
