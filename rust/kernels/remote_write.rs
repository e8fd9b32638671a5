//! Prometheus' remote write, versions 1 and 2: an inflated request to columns.
//!
//! The labels of a series leave as one text of bytes, which is the same for the same series in every request of a
//! sender: who reads it makes a key of it once. What is wrong with one series is its status and stops no other.

use super::protobuf::{Fields, Malformed, Value};

/// Why a series was left out.
pub mod status {
    pub const GOOD: u8 = 0;
    /// References to labels that do not come in pairs, or point nowhere.
    pub const REFERENCES: u8 = 1;
    /// More labels, or longer ones, than are taken.
    pub const LABELS: u8 = 2;
    /// A time that nanoseconds of 64 bits do not hold.
    pub const TIME: u8 = 3;
    /// A label that is not UTF-8.
    pub const TEXT: u8 = 4;
}

/// How much is taken.
pub struct Limits {
    pub points: usize,
    /// Series of a request; symbols eight times as many.
    pub series: usize,
    /// Labels of a series, its name among them.
    pub labels: usize,
    /// Bytes of a name or value.
    pub text: usize,
    /// Bytes of the labels of all series: those of version 2 may be written once and referred to a million times.
    pub bytes: usize,
}

/// Why a request was left out.
#[derive(Debug, PartialEq)]
pub enum Refused {
    Malformed(Malformed),
    /// It is of the other version.
    Version,
    Points,
    Series,
    Labels,
}

impl From<Malformed> for Refused {
    fn from(found: Malformed) -> Self {
        Self::Malformed(found)
    }
}

/// What a request holds. The labels of series `i` are `labels[label_ends[i - 1]..label_ends[i]]`: for each name and
/// value in turn its length as u32, little-endian, and its bytes. Its samples end at `ends[i]`.
#[derive(Default)]
pub struct Columns {
    pub labels: Vec<u8>,
    pub label_ends: Vec<usize>,
    pub ends: Vec<i64>,
    pub times: Vec<i64>,
    pub values: Vec<f64>,
    /// Native histograms of each series, which are not read.
    pub histograms: Vec<i64>,
    pub status: Vec<u8>,
    /// Samples of each series that was left out.
    pub lost: Vec<i64>,
}

const MS: i64 = 1_000_000;
const MS_MAX: i64 = i64::MAX / MS - 1;

/// Where the parts of a series stand in its message.
struct Numbers {
    series: u32,
    histograms: u32,
    symbols: u32,
    /// Where the other version has its series: no message of this one has anything there.
    other: u32,
}

const V1: Numbers = Numbers { series: 1, histograms: 4, symbols: 0, other: 5 };
const V2: Numbers = Numbers { series: 5, histograms: 3, symbols: 4, other: 1 };

/// Read a request of version 2 if `second`, else of version 1.
pub fn decode(data: &[u8], second: bool, limits: &Limits) -> Result<Columns, Refused> {
    let numbers = if second { V2 } else { V1 };
    let symbols = if second { symbols(data, &numbers, limits)? } else { Vec::new() };
    let mut columns = Columns::default();
    let mut fields = Fields::new(data);
    while let Some(field) = fields.next() {
        let (number, Value::Bytes(inside)) = field? else {
            continue;
        };
        if number == numbers.other {
            return Err(Refused::Version);
        }
        if number == numbers.series {
            if columns.status.len() >= limits.series {
                return Err(Refused::Series);
            }
            let mut inner = fields.inner(inside);
            series(&mut inner, second.then_some(&symbols[..]), &numbers, limits, &mut columns)?;
        }
    }
    Ok(columns)
}

fn symbols<'a>(data: &'a [u8], numbers: &Numbers, limits: &Limits) -> Result<Vec<&'a [u8]>, Refused> {
    let mut found = Vec::new();
    let mut fields = Fields::new(data);
    while let Some(field) = fields.next() {
        if let (number, Value::Bytes(text)) = field? {
            if number == numbers.symbols {
                if found.len() / 8 >= limits.series {
                    return Err(Refused::Series);
                }
                found.push(text);
            }
        }
    }
    Ok(found)
}

/// The labels of one series on their way out.
struct Labels<'a> {
    out: &'a mut Vec<u8>,
    count: usize,
    status: u8,
}

impl Labels<'_> {
    fn add(&mut self, name: &[u8], value: &[u8], limits: &Limits) {
        self.count += 1;
        if self.count > limits.labels || name.len() > limits.text || value.len() > limits.text {
            self.spoil(status::LABELS);
        } else if std::str::from_utf8(name).is_err() || std::str::from_utf8(value).is_err() {
            self.spoil(status::TEXT);
        } else if self.status == status::GOOD {
            for text in [name, value] {
                self.out.extend_from_slice(&(text.len() as u32).to_le_bytes());
                self.out.extend_from_slice(text);
            }
        }
    }

    fn spoil(&mut self, status: u8) {
        if self.status == status::GOOD {
            self.status = status;
        }
    }
}

fn series(
    fields: &mut Fields,
    symbols: Option<&[&[u8]]>,
    numbers: &Numbers,
    limits: &Limits,
    columns: &mut Columns,
) -> Result<(), Refused> {
    let (start, first) = (columns.labels.len(), columns.times.len());
    let mut labels = Labels { out: &mut columns.labels, count: 0, status: status::GOOD };
    let (mut histograms, mut open) = (0i64, None);
    while let Some(field) = fields.next() {
        match (field?, symbols) {
            ((1, Value::Bytes(inside)), None) => label(fields.inner(inside), &mut labels, limits)?,
            ((1, Value::Bytes(inside)), Some(symbols)) => {
                let mut packed = fields.inner(inside);
                while !packed.done() {
                    let reference = packed.varint()?;
                    refer(reference, symbols, &mut open, &mut labels, limits);
                }
            }
            ((1, Value::Varint(reference)), Some(symbols)) => {
                refer(reference, symbols, &mut open, &mut labels, limits);
            }
            ((2, Value::Bytes(inside)), _) => {
                let (time, value) = sample(fields.inner(inside))?;
                if columns.times.len() >= limits.points {
                    return Err(Refused::Points);
                }
                if !(-MS_MAX..=MS_MAX).contains(&time) {
                    labels.spoil(status::TIME);
                }
                columns.times.push(time.wrapping_mul(MS));
                // Every NaN is a missing value, the staleness marker among them; one kind keeps replays alike.
                columns.values.push(if value.is_nan() { f64::NAN } else { value });
            }
            ((number, Value::Bytes(_)), _) if number == numbers.histograms => histograms += 1,
            _ => {}
        }
    }
    if open.is_some() {
        labels.spoil(status::REFERENCES);
    }
    let found = labels.status;
    let samples = (columns.times.len() - first) as i64;
    if found != status::GOOD {
        columns.labels.truncate(start);
        columns.times.truncate(first);
        columns.values.truncate(first);
    }
    if columns.labels.len() > limits.bytes {
        return Err(Refused::Labels);
    }
    columns.label_ends.push(columns.labels.len());
    columns.ends.push(columns.times.len() as i64);
    columns.histograms.push(histograms);
    columns.status.push(found);
    columns.lost.push(if found == status::GOOD { 0 } else { samples });
    Ok(())
}

fn label(mut fields: Fields, labels: &mut Labels, limits: &Limits) -> Result<(), Malformed> {
    let (mut name, mut value): (&[u8], &[u8]) = (&[], &[]);
    while let Some(field) = fields.next() {
        match field? {
            (1, Value::Bytes(text)) => name = text,
            (2, Value::Bytes(text)) => value = text,
            _ => {}
        }
    }
    labels.add(name, value, limits);
    Ok(())
}

/// A reference to a symbol: a name, or the value to the name before it.
fn refer<'a>(
    reference: u64,
    symbols: &[&'a [u8]],
    open: &mut Option<&'a [u8]>,
    labels: &mut Labels,
    limits: &Limits,
) {
    let Some(&text) = symbols.get(reference as u32 as usize) else {
        labels.spoil(status::REFERENCES);
        return;
    };
    match open.take() {
        None => *open = Some(text),
        Some(name) => labels.add(name, text, limits),
    }
}

fn sample(mut fields: Fields) -> Result<(i64, f64), Malformed> {
    let (mut time, mut value) = (0, 0.0);
    while let Some(field) = fields.next() {
        match field? {
            (1, Value::Fixed64(bits)) => value = f64::from_bits(bits),
            (2, Value::Varint(number)) => time = number as i64,
            _ => {}
        }
    }
    Ok((time, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { points: 10, series: 4, labels: 3, text: 16, bytes: 1000 };

    fn field(number: u8, inside: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, inside.len() as u8], inside].concat()
    }

    fn sample(ms: u8, value: f64) -> Vec<u8> {
        field(2, &[&[0x09], &value.to_le_bytes()[..], &[0x10, ms]].concat())
    }

    fn first() -> Vec<u8> {
        let name = field(1, &[field(1, b"__name__"), field(2, b"cpu")].concat());
        let host = field(1, &[field(1, b"host"), field(2, b"a")].concat());
        field(1, &[name, host, sample(7, 1.5), sample(8, f64::NAN), field(4, &[])].concat())
    }

    fn second() -> Vec<u8> {
        let symbols = [&b""[..], b"__name__", b"cpu"].map(|text| field(4, text)).concat();
        let series =
            [&[1, 2][..], &[1, 9], &[1]].map(|refs| field(5, &[field(1, refs), sample(7, 1.5)].concat()));
        [symbols, series.concat()].concat()
    }

    #[test]
    fn a_request_of_version_1_becomes_columns() {
        let found = decode(&first(), false, &LIMITS).unwrap();
        assert_eq!((found.times, found.ends), (vec![7_000_000, 8_000_000], vec![2]));
        assert!(found.values[0] == 1.5 && found.values[1].is_nan());
        assert_eq!((found.histograms, found.status), (vec![1], vec![status::GOOD]));
        assert_eq!(found.labels, b"\x08\0\0\0__name__\x03\0\0\0cpu\x04\0\0\0host\x01\0\0\0a");
    }

    #[test]
    fn a_bad_series_of_version_2_stops_no_other() {
        let found = decode(&second(), true, &LIMITS).unwrap();
        assert_eq!(found.status, [status::GOOD, status::REFERENCES, status::REFERENCES]);
        assert_eq!((found.ends, found.lost), (vec![1, 1, 1], vec![0, 1, 1]));
        assert_eq!(found.times, [7_000_000]);
    }

    #[test]
    fn a_message_of_the_other_version_is_told() {
        assert_eq!(decode(&first(), true, &LIMITS).err(), Some(Refused::Version));
        assert_eq!(decode(&second(), false, &LIMITS).err(), Some(Refused::Version));
    }

    #[test]
    fn wherever_it_is_cut_or_a_bit_turns_it_is_read_or_refused() {
        for (data, second) in [(first(), false), (second(), true)] {
            for end in 0..data.len() {
                let _ = decode(&data[..end], second, &LIMITS);
                for bit in 0..8 {
                    let mut other = data.clone();
                    other[end] ^= 1 << bit;
                    let _ = decode(&other, second, &LIMITS);
                }
            }
        }
    }

    #[test]
    fn limits_hold() {
        let few = Limits { points: 1, ..LIMITS };
        assert_eq!(decode(&first(), false, &few).err(), Some(Refused::Points));
        let many = first().repeat(5);
        assert_eq!(decode(&many, false, &LIMITS).err(), Some(Refused::Series));
        let short = Limits { labels: 1, ..LIMITS };
        assert_eq!(decode(&first(), false, &short).unwrap().status, [status::LABELS]);
        let small = Limits { bytes: 9, ..LIMITS };
        assert_eq!(decode(&first(), false, &small).err(), Some(Refused::Labels));
    }
}
