//! Protobuf's wire format, as much of it as hostile bytes need: every read is checked, nothing is copied.

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq)]
pub struct Malformed {
    pub what: &'static str,
    pub at: usize,
}

/// The value of a field.
#[derive(Debug, PartialEq)]
pub enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// The fields of a message, one after the other.
pub struct Fields<'a> {
    data: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Fields<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, base: 0 }
    }

    /// The fields of a message within this one, which ended just here.
    pub fn inner(&self, data: &'a [u8]) -> Self {
        Self { data, at: 0, base: self.base + self.at - data.len() }
    }

    fn wrong(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.base + self.at }
    }

    /// A number of up to 64 bits in groups of seven.
    pub fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let Some(&byte) = self.data.get(self.at) else {
                return Err(self.wrong("the message ends within a number"));
            };
            self.at += 1;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.wrong("a number of more than 64 bits"))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let rest = &self.data[self.at..];
        if length > rest.len() as u64 {
            return Err(self.wrong("the message ends within a field"));
        }
        let (found, _) = rest.split_at(length as usize);
        self.at += found.len();
        Ok(found)
    }

    fn value(&mut self, wire: u64) -> Result<Value<'a>, Malformed> {
        Ok(match wire {
            0 => Value::Varint(self.varint()?),
            1 => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(self.take(8)?);
                Value::Fixed64(u64::from_le_bytes(bytes))
            }
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Value::Fixed32
            }
            _ => return Err(self.wrong("a field of a kind that nobody writes")),
        })
    }

    /// The next field's number and value; None at the end.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Result<(u32, Value<'a>), Malformed>> {
        if self.at >= self.data.len() {
            return None;
        }
        Some(self.field())
    }

    fn field(&mut self) -> Result<(u32, Value<'a>), Malformed> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || tag > u64::from(u32::MAX) {
            return Err(self.wrong("a field without a number"));
        }
        Ok((number as u32, self.value(tag & 7)?))
    }

    pub fn done(&self) -> bool {
        self.at >= self.data.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_they_say() {
        assert_eq!(Fields::new(&[0x96, 0x01]).varint(), Ok(150));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Fields::new(&most).varint(), Ok(u64::MAX));
        let more = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert!(Fields::new(&more).varint().is_err());
        assert!(Fields::new(&[0x80]).varint().is_err());
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        let huge = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(Fields::new(&huge).next().is_some_and(|f| f.is_err()));
        assert_eq!(Fields::new(&[0x0a, 0x01, 0x07]).next(), Some(Ok((1, Value::Bytes(&[7])))));
    }

    #[test]
    fn where_it_went_wrong_counts_from_the_outermost() {
        let data = [0x0a, 0x02, 0x0a, 0x05];
        let mut fields = Fields::new(&data);
        let Some(Ok((1, Value::Bytes(inside)))) = fields.next() else {
            panic!("no field");
        };
        let error = fields.inner(inside).next();
        assert_eq!(error, Some(Err(Malformed { what: "the message ends within a field", at: 4 })));
    }
}
