//! The wire format of protocol buffers, as far as ONNX needs it. A message is a list of fields, each a number and a value.

/// The reason why bytes are not a message.
pub(crate) type Malformed = &'static str;

/// The value of a field as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wire<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// The fields of a message, in the order of the file.
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or("it ends in the middle of a field")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| "it ends in the middle of a field")
    }

    /// Reads an integer with seven bits per byte, lowest bits first.
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number has more than 64 bits")
    }

    /// Reads the next field and its number.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Wire<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.array()?),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| "a field is longer than memory")?;
                Wire::Bytes(self.take(len)?)
            }
            5 => Wire::Fixed32(self.array()?),
            _ => return Err("a field has a type that protocol buffers do not know"),
        };
        Ok(Some((key >> 3, value)))
    }
}

impl<'a> Wire<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err("it has a number where text or a message is expected"),
        }
    }

    pub(crate) fn text(self) -> Result<String, Malformed> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    pub(crate) fn int(self) -> Result<i64, Malformed> {
        match self {
            Self::Varint(value) => Ok(value as i64),
            _ => Err("it has another value where an integer is expected"),
        }
    }

    pub(crate) fn float(self) -> Result<f32, Malformed> {
        match self {
            Self::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err("it has another value where a number is expected"),
        }
    }

    /// Appends a repeated integer: one value, or many packed into one field.
    pub(crate) fn ints(self, into: &mut Vec<i64>) -> Result<(), Malformed> {
        let Self::Bytes(packed) = self else {
            into.push(self.int()?);
            return Ok(());
        };
        let mut packed = Fields(packed);
        while !packed.0.is_empty() {
            into.push(packed.varint()? as i64);
        }
        Ok(())
    }

    /// Appends a repeated f32.
    pub(crate) fn floats(self, into: &mut Vec<f32>) -> Result<(), Malformed> {
        let Self::Bytes(packed) = self else {
            into.push(self.float()?);
            return Ok(());
        };
        let mut packed = Fields(packed);
        while !packed.0.is_empty() {
            into.push(f32::from_le_bytes(packed.array()?));
        }
        Ok(())
    }

    /// Appends a repeated f64.
    pub(crate) fn doubles(self, into: &mut Vec<f64>) -> Result<(), Malformed> {
        if let Self::Fixed64(bytes) = self {
            into.push(f64::from_le_bytes(bytes));
            return Ok(());
        }
        let mut packed = Fields(self.bytes()?);
        while !packed.0.is_empty() {
            into.push(f64::from_le_bytes(packed.array()?));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], want: Result<Option<(u64, Wire<'_>)>, Malformed>) {
        assert_eq!(Fields::new(bytes).next(), want, "{bytes:?}");
    }

    #[test]
    fn fields_of_every_type() {
        check(&[], Ok(None));
        check(&[0x08, 0x96, 0x01], Ok(Some((1, Wire::Varint(150)))));
        check(&[0x12, 2, b'h', b'i'], Ok(Some((2, Wire::Bytes(b"hi")))));
        check(&[0x1d, 0, 0, 0x80, 0x3f], Ok(Some((3, Wire::Fixed32(1f32.to_le_bytes())))));
        check(&[0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f], Ok(Some((4, Wire::Fixed64(1f64.to_le_bytes())))));
    }

    #[test]
    fn truncated_and_unknown_fields_are_errors() {
        check(&[0x08], Err("it ends in the middle of a field"));
        check(&[0x12, 3, b'h', b'i'], Err("it ends in the middle of a field"));
        check(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], Err("a number has more than 64 bits"));
        check(&[0x0b], Err("a field has a type that protocol buffers do not know"));
    }

    #[test]
    fn repeated_numbers_may_be_packed() {
        let mut ints = Vec::new();
        Wire::Varint(u64::MAX).ints(&mut ints).unwrap();
        Wire::Bytes(&[3, 0x96, 0x01]).ints(&mut ints).unwrap();
        assert_eq!(ints, [-1, 3, 150]);
        let mut floats = Vec::new();
        Wire::Fixed32(2f32.to_le_bytes()).floats(&mut floats).unwrap();
        Wire::Bytes(&1f32.to_le_bytes()).floats(&mut floats).unwrap();
        assert_eq!(floats, [2.0, 1.0]);
        assert!(Wire::Bytes(&[0, 0]).floats(&mut floats).is_err());
    }
}
