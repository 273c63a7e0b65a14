//! Keywords about when a certificate holds: `tls_cert_notbefore`, `tls_cert_notafter`, `tls_cert_expired`, `tls_cert_valid`.
//!
//! Moments are seconds since 1970, or dates as ISO 8601 writes them, in UTC, as far as they go: `2024-02`, `2024-02-29T12:30`.

use super::super::buffer;
use super::super::language::{Comparison, NumberTest, Reason};
use super::super::rule::Condition;
use super::Draft;

const DAY_SECONDS: i64 = 86_400;

impl Draft {
    /// Takes a keyword of this family.
    pub fn certificates(&mut self, keyword: &str, value: &str) -> Option<Result<(), Reason>> {
        let (id, test) = match keyword {
            "tls_cert_notbefore" => (buffer::TLS_NOT_BEFORE, moments(value)),
            "tls_cert_notafter" => (buffer::TLS_NOT_AFTER, moments(value)),
            "tls_cert_expired" => (buffer::TLS_CERT_VALIDITY, Ok(NumberTest(Comparison::Equal(buffer::EXPIRED)))),
            "tls_cert_valid" => (buffer::TLS_CERT_VALIDITY, Ok(NumberTest(Comparison::Equal(buffer::VALID)))),
            _ => return None,
        };
        self.addresses_only = false;
        Some(test.and_then(|test| self.lists.judged(id, Condition::Number(vec![test]))))
    }
}

/// `moment`, `<moment`, `>moment` or `moment<>moment`.
fn moments(text: &str) -> Result<NumberTest, Reason> {
    let text = text.trim();
    if let Some((low, high)) = text.split_once("<>") {
        let (low, high) = (moment(low)?, moment(high)?);
        let test = NumberTest(Comparison::Between(low, high));
        return if low < high { Ok(test) } else { Err(format!("the range {text} is empty")) };
    }
    Ok(NumberTest(match (text.strip_prefix('<'), text.strip_prefix('>')) {
        (Some(rest), _) => Comparison::Below(moment(rest)?),
        (_, Some(rest)) => Comparison::Above(moment(rest)?),
        _ => Comparison::Equal(moment(text)?),
    }))
}

/// Seconds since 1970.
fn moment(text: &str) -> Result<u64, Reason> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(seconds);
    }
    read(text).and_then(|seconds| u64::try_from(seconds).ok()).ok_or_else(|| {
        format!("{text} is no moment (seconds since 1970, or YYYY-MM-DDTHH:MM:SS as far as it is known)")
    })
}

fn read(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month) = (parts.next()??, parts.next()??);
    let day = parts.next().unwrap_or(Some(1))?;
    let mut times = [0; 3];
    for (place, part) in times.iter_mut().zip(time.split(':').filter(|part| !part.is_empty())) {
        *place = part.parse().ok()?;
    }
    let [hour, minute, second] = times;
    let sound = parts.next().is_none()
        && (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    sound.then(|| days(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that the odd day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * since_march + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_or_seconds() {
        assert_eq!(read("1970-01-01"), Some(0));
        assert_eq!(read("2000-03"), Some(951_868_800));
        assert_eq!(read("2024-02-29T12:30:05"), Some(1_709_209_805));
        assert_eq!(moment("1445852105"), Ok(1_445_852_105));
        for text in ["2024-13-01", "x", "2024-1-1-1", "", "2024-01-01T25"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_leave_out_their_bounds() {
        let test = moments("2000-10-22<>2020-05-15").unwrap();
        assert!(test.accepts(1_445_852_105) && !test.accepts(moment("2020-05-15").unwrap()));
        assert!(moments(">2015-10-22").unwrap().accepts(1_445_852_105));
        assert!(moments("2020<>2010").is_err());
    }
}
