//! A whole message, item by item, without recursion.

use std::fmt;

use crate::{Error, ErrorKind, Item, Limit, Options, Reader, Value};

/// Goes through a message depth first, structures before their items, in one loop.
///
/// The limits on the message's length and on items hold; an error knows its tag path and is the last thing given.
/// Several items in a row at the top are gone through one after the other.
#[derive(Clone)]
pub struct Walk<'a> {
    message: &'a [u8],
    options: &'a Options,
    /// The cursor of each structure around the next item, outermost first; at most `limits.depth` + 1 of them.
    readers: Vec<Reader<'a>>,
    items: u32,
}

/// One item of a [`Walk`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visit<'a> {
    /// How many structures the item is inside of.
    pub depth: u16,
    /// The item.
    pub item: Item<'a>,
}

/// The place only: the message may hold secrets.
impl fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Walk({} bytes, inside {:?})", self.message.len(), self.readers.last())
    }
}

impl<'a> Walk<'a> {
    /// A walk from the first item on.
    pub fn new(message: &'a [u8], options: &'a Options) -> Self {
        let readers = vec![Reader::with_options(message, options)];
        Self { message, options, readers, items: options.limits.items }
    }

    fn step(&mut self) -> Result<Option<Visit<'a>>, Error> {
        let limits = &self.options.limits;
        if self.message.len() > limits.message_length as usize {
            let maximum = u64::from(limits.message_length);
            return Err(Error::new(ErrorKind::Limit { limit: Limit::MessageLength, maximum }, 0));
        }
        while let Some(reader) = self.readers.last_mut() {
            let depth = reader.depth();
            let Some(item) = reader.next() else {
                self.readers.pop();
                continue;
            };
            let item = item?;
            let Some(left) = self.items.checked_sub(1) else {
                let maximum = u64::from(limits.items);
                return Err(Error::new(
                    ErrorKind::Limit { limit: Limit::Items, maximum },
                    item.offset,
                ));
            };
            self.items = left;
            if let Value::Structure(inner) = item.value {
                self.readers.push(inner);
            }
            return Ok(Some(Visit { depth, item }));
        }
        Ok(None)
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Visit<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.readers.is_empty() {
            return None;
        }
        match self.step() {
            Ok(visit) => visit.map(Ok),
            Err(error) => {
                self.readers.clear();
                Some(Err(error.locate(self.message)))
            }
        }
    }
}

impl std::iter::FusedIterator for Walk<'_> {}
